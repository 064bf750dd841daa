"""The TypeScript declarations of a schema."""

import json
from typing import Any

from tools import ROOT
from tools.typescript import declare
from turns.config.version import VERSION

SCHEMAS: dict[str, dict[str, Any]] = {
    "Turn": {
        "description": "A turn.",
        "properties": {
            "object": {"const": "turn", "default": "turn"},
            "status": {"$ref": "#/components/schemas/Status"},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "its\nnote"},
            "links": {"type": "object", "additionalProperties": {"type": "string"}, "readOnly": True},
            "parts": {"type": "array", "items": {"anyOf": [{"type": "integer"}, {"type": "number"}]}},
            "data": {},
        },
        "required": ["status", "note", "parts"],
    },
    "Status": {"enum": ["queued", "completed"], "type": "string"},
    "Unused": {"type": "string"},
}


def test_an_object_becomes_an_interface_with_what_it_refers_to() -> None:
    assert (
        declare(SCHEMAS, ["Turn"])
        == """\
export type Status = "queued" | "completed";

/** A turn. */
export interface Turn {
  object: "turn";
  status: Status;
  /** its note */
  note: string | null;
  links: Record<string, string>;
  parts: Array<number>;
  data?: unknown;
}
"""
    )


def test_the_package_has_the_version_of_the_service() -> None:
    package = json.loads((ROOT / "clients" / "js" / "package.json").read_text(encoding="utf-8"))
    assert package["version"] == VERSION
