"""TypeScript declarations of the API's objects, from the schemas of the OpenAPI document."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

Schema = Mapping[str, Any]
SIMPLE = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def declare(schemas: Mapping[str, Schema], roots: Iterable[str]) -> str:
    """Return an exported interface or type for each of these schemas and for those that they refer to."""
    pending, declared = list(roots), dict[str, str]()
    while pending:
        name = pending.pop()
        if name not in declared:
            declared[name] = _declaration(name, schemas[name])
            pending += re.findall(r"#/components/schemas/(\w+)", json.dumps(schemas[name]))
    return "\n".join(declared[name] for name in sorted(declared))


def _declaration(name: str, schema: Schema) -> str:
    comment = _comment(schema, indent="")
    if "properties" not in schema:
        return f"{comment}export type {name} = {_type(schema)};\n"
    fields = (_field(field, part, schema.get("required", ())) for field, part in schema["properties"].items())
    return f"{comment}export interface {name} {{\n{''.join(fields)}}}\n"


def _field(name: str, schema: Schema, required: Iterable[str]) -> str:
    # A response always has the fields that have one value, although the schema lists them as having a default.
    mark = "" if name in required or "const" in schema or schema.get("readOnly") else "?"
    return f"{_comment(schema, indent='  ')}  {name}{mark}: {_type(schema)};\n"


def _type(schema: Schema) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if values := schema.get("enum", [schema["const"]] if "const" in schema else None):
        return " | ".join(map(json.dumps, values))
    if members := schema.get("anyOf", schema.get("oneOf")):
        return " | ".join(dict.fromkeys(map(_type, members)))
    return _container(schema) or SIMPLE.get(schema.get("type", ""), "unknown")


def _container(schema: Schema) -> str | None:
    """Return the type of an array or a mapping; None for another schema."""
    if schema.get("type") == "array":
        return f"Array<{_type(schema.get('items', {}))}>"
    if schema.get("type") == "object":
        values: Any = schema.get("additionalProperties") or next(iter(schema.get("patternProperties", {}).values()), {})
        return f"Record<string, {_type(values) if isinstance(values, Mapping) else 'unknown'}>"
    return None


def _comment(schema: Schema, *, indent: str) -> str:
    text = " ".join(schema.get("description", "").replace("*/", "").split())
    return f"{indent}/** {text} */\n" if text else ""
