"""Test which JSON schemas a turn may bring."""

from typing import Any

import pytest

from turns.response_format.rules import DIALECT, MAX_DEPTH, MAX_SCHEMA_BYTES, check_schema


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(levels):
        schema = {"not": schema}
    return schema


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"$schema": DIALECT, "type": "object", "properties": {"a": {"type": "string", "pattern": "^[a-z]+$"}}},
        {"properties": {"next": {"$ref": "#"}}},
        {"$defs": {"a": {"type": "null"}}, "anyOf": [{"$ref": "#/$defs/a"}, True]},
        {"properties": {"$ref": {"const": {"$ref": "https://x", "$id": "y"}}, "pattern": {"enum": [{"pattern": "("}]}}},
        nested(MAX_DEPTH - 1),
    ],
)
def test_a_usual_schema_is_accepted(schema: dict[str, Any]) -> None:
    check_schema(schema)


@pytest.mark.parametrize(
    ("schema", "rule"),
    [
        ({"type": "objekt"}, "type: is not valid in JSON Schema 2020-12"),
        ({"properties": {"a": {"type": 1}}}, "properties.a.type: is not valid"),
        ({"required": "a"}, "required: is not valid"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, r"\$schema: must be https"),
        ({"items": {"$schema": DIALECT}}, r"items\.\$schema: is not supported; put it"),
        ({"$ref": "https://schemas.example/a"}, r"^\$ref: must be # or"),
        ({"items": {"$ref": "file:///etc/passwd"}}, r"^items\.\$ref: must be # or"),
        ({"$ref": "#/$defs/none"}, r"the name of a definition"),
        ({"$ref": "#/properties/a", "properties": {"a": {}}}, r"\$ref"),
        ({"$id": "https://schemas.example/a"}, r"\$id: is not supported"),
        ({"$defs": {"a": {"$dynamicRef": "#a"}}}, r"\$defs\.a\.\$dynamicRef: is not supported"),
        ({"allOf": [{"patternProperties": {"a": {}}}]}, r"allOf\.0\.patternProperties: is not supported"),
        ({"unevaluatedProperties": False}, "unevaluatedProperties: is not supported"),
        ({"pattern": "(?=a)b"}, "pattern: must be a regular expression without look-around"),
        ({"pattern": "("}, "pattern: "),
        ({"description": "x" * MAX_SCHEMA_BYTES}, "must be at most 16384 bytes"),
        (nested(MAX_DEPTH + 1), "nested at most 32 levels"),
        (nested(5000), "nested at most 32 levels"),
    ],
)
def test_any_other_schema_is_refused_with_its_place(schema: dict[str, Any], rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        check_schema(schema)
