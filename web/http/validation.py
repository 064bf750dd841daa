"""What callers send, checked: a wrong request gets the name of the field and the rule, and changes nothing."""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from turns.domain.assistant import Assistant, Lane
from turns.domain.errors import InvalidRequest
from turns.domain.ids import NAME_RULE, is_name
from turns.domain.messages import Message
from turns.domain.turn import OnBusy, TurnRequest
from web.http.strict_json import load_json, printable
from web.schemas.requests import BatchBody, ImportBody, SubmitBody

# Our words for pydantic's types of error; where there are none, its own message serves.
RULES = MappingProxyType(
    {
        "missing": "is required",
        "string_type": "must be text",
        "float_type": "must be a number",
        "too_long": "has too many entries",
        "too_short": "must not be empty",
        "dict_type": "must be an object",
        "list_type": "must be a list",
    }
)
PRINTABLE_ASCII = frozenset(map(chr, range(0x20, 0x7F)))
# https://www.w3.org/TR/trace-context/#traceparent-header, version 00
TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def parse_submit(
    body: bytes,
    *,
    find: Callable[[str], Assistant],
    idempotency_key: str | None,
    traceparent: str | None,
    tenant: str,
) -> TurnRequest:
    """Raises `InvalidRequest`, or like `find`, which gives an assistant by its name."""
    key = parse_idempotency_key(idempotency_key)
    return to_request(_object(body), find=find, idempotency_key=key, traceparent=traceparent, tenant=tenant)


def parse_batch(body: bytes) -> list[dict[str, Any]]:
    """The turns that are asked for, each unchecked. Raises `InvalidRequest`."""
    return _validate(BatchBody, _object(body)).turns


def parse_messages(body: bytes) -> list[Message]:
    """A history that providers take: one that begins with a question. Raises `InvalidRequest`."""
    given = _validate(ImportBody, _object(body)).messages
    if given[0].role != "user":
        raise InvalidRequest("messages.0.role", "must be user: a history begins with a user's message")
    return [
        Message(number=number, role=said.role, content=said.content, turn_id=said.turn_id)
        for number, said in enumerate(given, start=1)
    ]


def to_request(
    given: Mapping[str, Any],
    *,
    find: Callable[[str], Assistant],
    idempotency_key: str | None,
    traceparent: str | None,
    tenant: str,
) -> TurnRequest:
    """Raises `InvalidRequest`, or like `find`. A malformed `traceparent` is ignored, as its standard says."""
    asked = _validate(SubmitBody, given)
    assistant = find(asked.assistant)
    assistant.check_variables(asked.variables)
    return TurnRequest(
        session_id=asked.session_id,
        input=asked.input,
        user_id=asked.user_id,
        tenant=tenant,
        assistant=assistant,
        variables=asked.variables,
        metadata=asked.metadata,
        on_busy=OnBusy(asked.on_busy),
        lane=Lane(asked.lane) if asked.lane else None,
        start_within_seconds=asked.start_within_seconds,
        idempotency_key=idempotency_key,
        traceparent=traceparent if traceparent and TRACEPARENT.fullmatch(traceparent) else None,
    )


Model = TypeVar("Model", bound=BaseModel)


def parse_query(model: type[Model], arguments: Iterable[tuple[str, str]]) -> Model:
    """Raises `InvalidRequest`, also for a parameter that is given twice."""
    given: dict[str, str] = {}
    for name, value in arguments:
        if name in given:
            raise InvalidRequest(printable(name), "must be given once")
        given[name] = value
    return _validate(model, given)


def parse_name(field: str, value: str) -> str:
    """Raises `InvalidRequest` for what is not a session or user id."""
    if not is_name(value):
        raise InvalidRequest(field, NAME_RULE)
    return value


def parse_idempotency_key(key: str | None) -> str | None:
    if key is not None and not (1 <= len(key) <= 255 and PRINTABLE_ASCII.issuperset(key)):
        raise InvalidRequest("Idempotency-Key", "must be 1 to 255 printable ASCII characters")
    return key


def _object(body: bytes) -> dict[str, Any]:
    loaded = load_json(body)
    if not isinstance(loaded, dict):
        raise InvalidRequest("body", "must be a JSON object")
    return loaded


def _validate(model: type[Model], given: Mapping[str, Any]) -> Model:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        # A misspelt field is unknown and also missing; the first is what the caller needs to hear.
        first = min(error.errors(include_url=False), key=lambda e: e["type"] != "extra_forbidden")
        raise InvalidRequest(_path(first), _in_words(first, model)) from None


def _path(error: ErrorDetails) -> str:
    # pydantic marks a wrong name of a mapping by a last part of its own.
    parts = [str(part) for part in error["loc"] if part != "[key]"]
    return printable(".".join(parts))


def _in_words(error: ErrorDetails, model: type[BaseModel]) -> str:
    if error["type"] == "extra_forbidden":
        *place, name = error["loc"]
        fields = _at(place, model).model_fields
        known = ", ".join(fields) or "none"
        nearest = difflib.get_close_matches(str(name), fields, n=1)
        return f"is not known; {f'did you mean {nearest[0]}?' if nearest else f'there is: {known}'}"
    if error["type"] in {"literal_error", "enum"}:
        return f"must be {error['ctx']['expected']}"
    return RULES.get(error["type"], error["msg"])


def _at(place: Sequence[int | str], model: type[BaseModel]) -> type[BaseModel]:
    """The model of the items of a list, where the place lies in one."""
    for name in (part for part in place if isinstance(part, str)):
        [model] = get_args(model.model_fields[name].annotation)
    return model
