"""Rules for a JSON schema that comes from a caller or from `assistants.toml`.

They refuse what would make a check load other documents, or take very long.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import chain
from typing import Any

from turns.response_format.patterns import is_pattern

MAX_SCHEMA_BYTES = 16_384
MAX_DEPTH = 32
DIALECT = "https://json-schema.org/draft/2020-12/schema"
DEFINITIONS = ("$defs", "definitions")
REFERENCE = re.compile(r"#(?:/(\$defs|definitions)/([^/~%]+))?")

# Keywords whose values are a schema, a list of schemas, or schemas by name. All other values are data.
ONE = ("items", "additionalProperties", "contains", "propertyNames", "not", "if", "then", "else")
LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
BY_NAME = ("properties", "dependentSchemas", *DEFINITIONS)

REFUSED = {
    **dict.fromkeys(
        ("$id", "$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveRef", "$vocabulary"), "name a schema"
    ),
    "patternProperties": "name the properties",
    **dict.fromkeys(("unevaluatedItems", "unevaluatedProperties"), "use additionalProperties or items"),
}


def check_schema(schema: Mapping[str, Any]) -> None:
    """Raise `ValueError` with the place and the rule if answers cannot be checked against this schema."""
    try:
        text = json.dumps(schema, sort_keys=True)
        text.encode()
    except RecursionError:
        raise ValueError(f"must be nested at most {MAX_DEPTH} levels deep") from None
    if len(text) > MAX_SCHEMA_BYTES:
        raise ValueError(f"must be at most {MAX_SCHEMA_BYTES} bytes as JSON")
    if problem := _find_problem(text):
        raise ValueError(problem)


@lru_cache(maxsize=64)  # the turns of a batch have the same schema
def _find_problem(text: str) -> str | None:
    schema = json.loads(text)
    if _depth(schema) > MAX_DEPTH:
        return f"must be nested at most {MAX_DEPTH} levels deep"
    if schema.get("$schema", DIALECT) != DIALECT:
        return f"$schema: must be {DIALECT}"
    return _find_invalid(schema) or next(_problems(schema, schema, ""), None)


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)


def _find_invalid(schema: Any) -> str | None:
    """Return the place and the rule where it is not a JSON schema; None if it is one."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415  # 3 MB, which most processes never need
    from jsonschema.exceptions import SchemaError  # noqa: PLC0415

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        place = ".".join(map(str, error.absolute_path))
        return f"{place + ': ' if place else ''}is not valid in JSON Schema 2020-12 (rule {error.validator})"
    return None


def _problems(schema: Any, root: Mapping[str, Any], place: str) -> Iterator[str]:
    """Yield the places and the broken rules of a valid schema and those inside."""
    if not isinstance(schema, dict):  # true or false
        return
    refused = REFUSED if schema is root else {**REFUSED, "$schema": "put it into the outer schema"}
    for keyword in schema:
        if keyword in refused:
            yield f"{place}{keyword}: is not supported; {refused[keyword]}"
    if "pattern" in schema and not is_pattern(schema["pattern"]):
        yield f"{place}pattern: must be a regular expression without look-around, back-references and large repetitions"
    if "$ref" in schema and not _is_known_reference(schema["$ref"], root):
        yield f"{place}$ref: must be # or #/$defs/NAME, the name of a definition in this schema"
    for name, inner in _inner_schemas(schema):
        yield from _problems(inner, root, f"{place}{name}.")


def _is_known_reference(reference: str, root: Mapping[str, Any]) -> bool:
    match = REFERENCE.fullmatch(reference)
    return match is not None and (match[1] is None or match[2] in root.get(match[1], {}))


def _inner_schemas(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return chain(
        ((name, schema[name]) for name in ONE if name in schema),
        ((f"{name}.{n}", inner) for name in LISTS for n, inner in enumerate(schema.get(name, ()))),
        ((f"{name}.{key}", inner) for name in BY_NAME for key, inner in schema.get(name, {}).items()),
    )
