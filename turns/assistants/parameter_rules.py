"""Rules for the fields of `assistants.toml` that are sent to the provider, and for its finish reasons."""

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from turns.domain.content.parts import Accepts
from turns.response_format.rules import check_schema

MAX_STOP_SEQUENCES = 4  # OpenAI's limit
MAX_JSON_CHARACTERS = 65_536  # the definition is sent to a worker with each turn
SCHEMA_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")  # OpenAI's rule

# Fields of the request's body that `extra` cannot set, and how to set them.
OWN_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "messages": "the service sends it",
        "model": "use the field model",
        "stream": "the service sends it",
        "n": "a turn has one answer",
        "max_completion_tokens": "use max_tokens and max_tokens_name",
        **{
            name: f"use the field {name}"
            for name in ("max_tokens", "response_format", "stop", "stream_options", "temperature", "top_p")
        },
    }
)

# Finish reasons of answers that are not complete, or that must not enter the history.
RESERVED_REASONS = frozenset({"content_filter", "tool_calls", "function_call", "error", "length"})


def check_extra(extra: dict[str, Any]) -> dict[str, Any]:
    """Return the fields; raise ValueError if one has its own field or cannot be sent."""
    for name in extra:
        if rule := OWN_FIELDS.get(name):
            raise ValueError(f"must not contain {name!r}; {rule}")
    return _check_json(extra)


def check_response_format(response_format: dict[str, Any]) -> dict[str, Any]:
    """Return the table; raise ValueError unless a provider can accept its form."""
    kind = response_format.get("type")
    if not isinstance(kind, str) or not kind:
        raise ValueError("must have a type, such as { type = 'json_object' }")
    schema = response_format.get("json_schema")
    if kind == "json_schema" and not isinstance(schema, dict):
        raise ValueError("must have a table json_schema, with a name and a schema, if its type is json_schema")
    if isinstance(schema, dict) and not SCHEMA_NAME.fullmatch(str(schema.get("name", ""))):
        raise ValueError("json_schema.name must be 1 to 64 letters, digits, _ and -")
    _check_json(response_format)
    if isinstance(schema, dict):
        _check_schema(schema.get("schema"))
    return response_format


def _check_schema(schema: object) -> None:
    if not isinstance(schema, dict):
        raise ValueError("must have a table json_schema.schema")
    try:
        check_schema(schema)
    except ValueError as error:
        raise ValueError(f"json_schema.schema: {error}") from None


def check_accepts(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names; raise ValueError for an unknown one, or if text is not among them."""
    known = ", ".join(Accepts)
    for name in names:
        if name not in set(Accepts):
            raise ValueError(f"must be a list of {known}, without {name!r}")
    if Accepts.TEXT not in names:
        raise ValueError("must contain text, which every assistant takes")
    return tuple(dict.fromkeys(names))


def to_texts(value: object) -> tuple[str, ...]:
    """Return a text or a list of texts as a tuple; raise ValueError for anything else."""
    texts = value if isinstance(value, list) else [value]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("must be a text, or a list of texts")
    return tuple(texts)


def check_stop(stop: tuple[str, ...]) -> tuple[str, ...]:
    """Return the sequences; raise ValueError if OpenAI would refuse them."""
    if not 1 <= len(stop) <= MAX_STOP_SEQUENCES or not all(stop):
        raise ValueError(f"must be a text, or a list of 1 to {MAX_STOP_SEQUENCES} texts, none of them empty")
    return stop


def check_finish_reasons(reasons: tuple[str, ...]) -> tuple[str, ...]:
    """Return the reasons; raise ValueError for one that never ends a complete answer."""
    for reason in reasons:
        if not reason.strip():
            raise ValueError("must not contain an empty text")
        if reason.lower() in RESERVED_REASONS:
            raise ValueError(f"must not contain {reason!r}, which does not end a complete answer")
    return reasons


def _check_json(value: dict[str, Any]) -> dict[str, Any]:
    """Return the value; raise ValueError for dates, infinite numbers and integers beyond 64 bits."""
    try:
        text = json.dumps(value, allow_nan=False)
        json.loads(text, parse_int=_to_sent_integer)
    except (TypeError, ValueError, RecursionError):
        raise ValueError("must contain only texts, booleans, numbers of at most 64 bits, lists and tables") from None
    if len(text) > MAX_JSON_CHARACTERS:
        raise ValueError(f"must be at most {MAX_JSON_CHARACTERS} characters as JSON")
    return value


def _to_sent_integer(digits: str) -> int:
    if not -(2**63) <= (number := int(digits)) < 2**64:
        raise ValueError
    return number
