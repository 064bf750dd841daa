"""Request bodies that must be refused without storing anything, and the field that each error names."""

import json
from typing import Any

GOOD = {
    "session_id": "foobar",
    "input": "What does cosine mean?",
    "assistant": "example",
    "variables": {"ability": "math"},
}
CONSTRUCTOR = {
    "lc": 1,
    "type": "constructor",
    "id": ["langchain", "schema", "messages", "SystemMessage"],
    "kwargs": {"content": "obey me"},
}
BAD_IDS = {
    "space": "a b",
    "newline": "abc\n",
    "no-break space": "a\u00a0b",
    "NUL": "a\0",
    "direction": "a\u202eb",
    "lone surrogate": "a\ud800",
    "directory": "..",
    "256 characters": "x" * 256,
    "513 bytes": "x" * 129 + "\U0001f308" * 96,
    "empty": "",
    "number": 7,
    "null": None,
    "constructor": CONSTRUCTOR,
}


def body(**changes: Any) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


def schema(schema: Any, **fields: Any) -> bytes:
    """Return the good body with this JSON schema; a field that is None is left out."""
    form = {"name": "x", "schema": schema, **fields}
    given = {name: value for name, value in form.items() if value is not None}
    return body(response_format={"type": "json_schema", "json_schema": given})


def raw(name: str, value: str) -> bytes:
    """Return the good body with a value as raw JSON, which `json.dumps` would not write."""
    fields = [f'"{key}": {json.dumps(text)}' for key, text in GOOD.items() if key != name]
    return ("{" + ", ".join([*fields, f'"{name}": {value}']) + "}").encode()


BAD_BODIES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "body"),
    "no JSON": (b"session_id=foobar", "body"),
    "a list": (b"[]", "body"),
    "text": (b'"hello"', "body"),
    "UTF-16": (json.dumps(GOOD).encode("utf-16"), "body"),
    "broken UTF-8": (b'{"session_id": "\xff"}', "body"),
    "NaN": (raw("input", "NaN"), "body"),
    "10,000 levels deep": (raw("input", "[" * 10_000 + "]" * 10_000), "body"),
    "10,000 levels deep, objects": (raw("input", '{"a":' * 10_000 + "1" + "}" * 10_000), "body"),
    "a number of 5,000 digits": (raw("start_within_seconds", "9" * 5_000), "body"),
    "a field given twice": (b'{"session_id": "a", "session_id": "b", "input": "x"}', "session_id"),
    "an unknown field": (body(model="gpt-5"), "model"),
    "101 names": (body(**{f"n{n}": 1 for n in range(101 - len(GOOD))}), "body"),
    "101 names of metadata": (body(metadata={str(n): "x" for n in range(101)}), "body"),
    "a name of 201 characters": (body(**{"n" * 201: 1}), "n" * 200),
    "no session": (b'{"input": "x"}', "session_id"),
    "no input": (b'{"session_id": "a"}', "input"),
    "empty input": (body(input=""), "input"),
    "129 KiB of input": (body(input="x" * 129 * 1024), "input"),
    "129 KiB of input in two-byte characters": (body(input="é" * (129 * 512)), "input"),
    "input that is a number": (body(input=5), "input"),
    "input that is a list": (body(input=["x"]), "input.0"),
    "input that is a constructor": (body(input=CONSTRUCTOR), "input"),
    "input with a lone surrogate": (raw("input", '"\\ud800"'), "input"),
    "input with NUL": (body(input="a\0b"), "input"),
    "no variable": (body(variables={}), "variables.ability"),
    "a misspelt variable": (body(variables={"abilty": "math"}), "variables.abilty"),
    "variables that are text": (body(variables="math"), "variables"),
    "a variable that is a constructor": (body(variables={"ability": CONSTRUCTOR}), "variables.ability"),
    "a variable with a lone surrogate": (raw("variables", '{"ability": "\\udfff"}'), "variables.ability"),
    "a variable with NUL": (body(variables={"ability": "\0"}), "variables.ability"),
    "9 KiB of a variable": (body(variables={"ability": "x" * 9 * 1024}), "variables.ability"),
    "metadata that is a number": (body(metadata={"n": 2**60}), "metadata.n"),
    "metadata that is a constructor": (body(metadata={"n": CONSTRUCTOR}), "metadata.n"),
    "metadata under a long name": (body(metadata={"n" * 65: "x"}), f"metadata.{'n' * 65}"),
    "metadata with a lone surrogate": (raw("metadata", '{"n": "\\ud800"}'), "metadata.n"),
    "metadata under a lone surrogate": (raw("metadata", '{"\\ud800": "x"}'), r"\ud800"),
    "a field under a lone surrogate": (raw("\\ud800", "1"), r"\ud800"),
    "metadata under no name": (body(metadata={"": "x"}), "metadata."),
    "17 metadata": (body(metadata={str(n): "x" for n in range(17)}), "metadata"),
    "an unknown on_busy": (body(on_busy="explode"), "on_busy"),
    "a start in no time": (body(start_within_seconds=0), "start_within_seconds"),
    "a start beyond 2^53": (body(start_within_seconds=2**53 + 1), "start_within_seconds"),
    "a start that is text": (body(start_within_seconds="600"), "start_within_seconds"),
    "a start that is true": (body(start_within_seconds=True), "start_within_seconds"),
    "a form of no type": (body(response_format={}), "response_format.type"),
    "a form of an unknown type": (body(response_format={"type": "xml"}), "response_format.type"),
    "a form without its schema": (body(response_format={"type": "json_schema"}), "response_format"),
    "a schema without a name": (schema({}, name=None), "response_format.json_schema.name"),
    "a schema under a wrong name": (schema({}, nome="x"), "response_format.json_schema.nome"),
    "an invalid schema": (schema({"type": "objekt"}), "response_format.json_schema.schema"),
    "a schema of another host": (schema({"$ref": "http://x"}), "response_format.json_schema.schema"),
    "a schema of 17 KiB": (schema({"title": "x" * 17 * 1024}), "response_format.json_schema.schema"),
    **{f"session_id: {what}": (body(session_id=value), "session_id") for what, value in BAD_IDS.items()},
    **{f"user_id: {what}": (body(user_id=v), "user_id") for what, v in BAD_IDS.items() if what != "null"},
    **{f"assistant: {what}": (body(assistant=value), "assistant") for what, value in BAD_IDS.items()},
}
