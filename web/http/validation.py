"""Validation of requests. An error names the field and the rule."""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from turns.domain.errors import MAX_FIELD_ERRORS, FieldError, InvalidRequest
from turns.domain.ids import ID_RULE, is_id
from turns.domain.messages import Message
from web.http.strict_json import load_json, printable
from web.schemas.requests import BatchBody, ImportBody

# Messages for pydantic's types of errors; for other types its message is used.
RULES = MappingProxyType(
    {
        "missing": "is required",
        "string_type": "must be text",
        "float_type": "must be a number",
        "too_long": "has too many entries",
        "too_short": "must not be empty",
        "dict_type": "must be an object",
        "model_type": "must be an object",
        "list_type": "must be a list",
    }
)
SUBJECT = re.compile(r"^[A-Z]\w+ should ")  # of pydantic's messages, such as "String should have at most 5 characters"
MAX_KEY_CHARACTERS = 255
PRINTABLE_ASCII = frozenset(map(chr, range(0x20, 0x7F)))
Model = TypeVar("Model", bound=BaseModel)


def parse_object(body: bytes) -> dict[str, Any]:
    """Return a JSON object. Raises `InvalidRequest`."""
    loaded = load_json(body)
    if not isinstance(loaded, dict):
        raise InvalidRequest("body", "must be a JSON object")
    return loaded


def parse_batch(body: bytes) -> list[dict[str, Any]]:
    """Return the bodies of the turns in a batch, each without validation. Raises `InvalidRequest`."""
    return validate(BatchBody, parse_object(body)).turns


def parse_body(model: type[Model], body: bytes) -> Model:
    """Validate a JSON object. Raises `InvalidRequest`."""
    return validate(model, parse_object(body))


def parse_messages(body: bytes) -> list[Message]:
    """Parse messages to import. Raises `InvalidRequest`.

    The first one must be a user's, because providers require it.
    """
    messages = validate(ImportBody, parse_object(body)).messages
    if messages[0].role != "user":
        raise InvalidRequest("messages.0.role", "must be user: a history starts with a message of the user")
    return [Message(number=number, **message.model_dump()) for number, message in enumerate(messages, start=1)]


def parse_query(model: type[Model], arguments: Iterable[tuple[str, str]]) -> Model:
    """Validate a query string. Raises `InvalidRequest`, also for a repeated parameter whose type is not a list."""
    given: dict[str, str | list[str]] = {}
    for name, value in arguments:
        if name in model.model_fields and get_origin(model.model_fields[name].annotation) is list:
            given[name] = [*given.get(name, ()), value]
        elif name in given:
            raise InvalidRequest(printable(name), "must be given once")
        else:
            given[name] = value
    return validate(model, given)


def parse_id(field: str, value: str) -> str:
    """Return the value. Raises `InvalidRequest` if it cannot be a session or user id."""
    if not is_id(value):
        raise InvalidRequest(field, ID_RULE)
    return value


def parse_idempotency_key(key: str | None) -> str | None:
    if key is not None and not (1 <= len(key) <= MAX_KEY_CHARACTERS and PRINTABLE_ASCII.issuperset(key)):
        raise InvalidRequest("Idempotency-Key", f"must be 1 to {MAX_KEY_CHARACTERS} printable ASCII characters")
    return key


def validate(model: type[Model], given: Mapping[str, Any]) -> Model:
    """Validate the fields of a model. Raises `InvalidRequest`."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        # A misspelt field is both unknown and missing; the first error helps the caller more.
        found = sorted(error.errors(include_url=False), key=lambda e: e["type"] != "extra_forbidden")
        first, *others = [FieldError(_path(e), _rule(e, model)) for e in found[:MAX_FIELD_ERRORS]]
        raise InvalidRequest(first.field, first.rule, *others) from None


def _path(error: ErrorDetails) -> str:
    # For a wrong name in a mapping, pydantic appends the part "[key]".
    parts = [str(part) for part in error["loc"] if part != "[key]"]
    return printable(".".join(parts)) or "body"


def _rule(error: ErrorDetails, model: type[BaseModel]) -> str:
    if error["type"] == "extra_forbidden":
        *path, name = error["loc"]
        fields = [field.alias or name for name, field in _model_at(path, model).model_fields.items()]
        known = ", ".join(fields) or "none"
        nearest = difflib.get_close_matches(str(name), fields, n=1)
        return f"is not known; {f'did you mean {nearest[0]}?' if nearest else f'known fields: {known}'}"
    if error["type"] in {"literal_error", "enum"}:
        return f"must be {error['ctx']['expected']}"
    return RULES.get(error["type"]) or SUBJECT.sub("must ", error["msg"])


def _model_at(path: Sequence[int | str], model: type[BaseModel]) -> type[BaseModel]:
    """Return the model that contains the last part of a path, which may lie in the items of a list."""
    for name in (part for part in path if isinstance(part, str)):
        [model] = filter(_is_model, get_args(model.model_fields[name].annotation))
    return model


def _is_model(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
