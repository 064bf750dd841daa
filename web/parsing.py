"""What callers send, checked: a wrong request gets the name of the field and the rule, and changes nothing."""

import difflib
import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from turns.assistants import assistant
from turns.errors import InvalidRequest
from turns.ids import NAME_RULE, is_name
from turns.turn import OnBusy, TurnRequest

# The largest valid body is an input of 32 KiB and its variables, each character escaped to six.
MAX_BODY_BYTES = 1024 * 1024
MAX_INPUT_BYTES = 32 * 1024
MAX_VARIABLE_BYTES = 8 * 1024
MAX_START_WITHIN_SECONDS = 7 * 24 * 3600
MAX_WAIT_SECONDS = 30
# Our words for pydantic's types of error; where there are none, its own message serves.
RULES = MappingProxyType(
    {
        "missing": "is required",
        "string_type": "must be text",
        "float_type": "must be a number",
        "too_long": "has too many entries",
        "dict_type": "must be an object of texts",
    }
)
PRINTABLE_ASCII = frozenset(map(chr, range(0x20, 0x7F)))


def _rule(text: str) -> PydanticCustomError:
    return PydanticCustomError("rule", text)


def _name(value: str) -> str:
    if not is_name(value):
        raise _rule(NAME_RULE)
    return value


def _text(*, most_bytes: int, least_bytes: int = 0) -> AfterValidator:
    """Text that Redis and providers take: UTF-8 has no lone surrogates, and NUL ends a string in too many places."""

    def check(value: str) -> str:
        try:
            size = len(value.encode())
        except UnicodeEncodeError:
            raise _rule("must be valid Unicode, without lone surrogates") from None
        if "\0" in value:
            raise _rule("must not contain the NUL character")
        if size < least_bytes:
            raise _rule("must not be empty")
        if size > most_bytes:
            raise _rule(f"must be at most {most_bytes} bytes of UTF-8")
        return value

    return AfterValidator(check)


Name = Annotated[str, AfterValidator(_name)]
Input = Annotated[str, _text(least_bytes=1, most_bytes=MAX_INPUT_BYTES)]
VariableName = Annotated[str, _text(most_bytes=128)]
Variable = Annotated[str, _text(most_bytes=MAX_VARIABLE_BYTES)]
MetadataName = Annotated[str, _text(least_bytes=1, most_bytes=64)]
Metadata = Annotated[str, _text(most_bytes=512)]


class SubmitBody(BaseModel):
    """The body of `POST /v1/turns`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    session_id: Name
    input: Input
    user_id: Name | None = None
    assistant: Name = "default"
    variables: dict[VariableName, Variable] = Field(default_factory=dict, max_length=64)
    metadata: dict[MetadataName, Metadata] = Field(default_factory=dict, max_length=16)
    on_busy: Literal["enqueue", "reject", "interrupt", "rollback"] = "enqueue"
    start_within_seconds: Annotated[float, Field(gt=0, le=MAX_START_WITHIN_SECONDS)] | None = None


class WaitQuery(BaseModel):
    """The query of `GET /v1/turns/{turn_id}`."""

    model_config = ConfigDict(extra="forbid")

    wait: Annotated[float, Field(ge=0, le=MAX_WAIT_SECONDS)] = 0


class MessagesQuery(BaseModel):
    """The query of `GET /v1/sessions/{session_id}/messages`."""

    model_config = ConfigDict(extra="forbid")

    user_id: Name | None = None
    after: Annotated[int, Field(ge=0, lt=2**53)] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    order: Literal["asc", "desc"] = "asc"


def parse_submit(body: bytes, idempotency_key: str | None) -> TurnRequest:
    """Raises `InvalidRequest` or `AssistantNotFound`."""
    loaded = load_json(body)
    if not isinstance(loaded, dict):
        raise InvalidRequest("body", "must be a JSON object")
    asked = _validate(SubmitBody, loaded)
    return TurnRequest(
        session_id=asked.session_id,
        input=asked.input,
        user_id=asked.user_id,
        assistant=asked.assistant,
        variables=assistant(asked.assistant).resolve(asked.variables),
        metadata=asked.metadata,
        on_busy=OnBusy(asked.on_busy),
        start_within_seconds=asked.start_within_seconds,
        idempotency_key=parse_idempotency_key(idempotency_key),
    )


Query = TypeVar("Query", bound=BaseModel)


def parse_query(model: type[Query], arguments: Iterable[tuple[str, str]]) -> Query:
    """Raises `InvalidRequest`, also for a parameter that is given twice."""
    given: dict[str, str] = {}
    for name, value in arguments:
        if name in given:
            raise InvalidRequest(name, "must be given once")
        given[name] = value
    return _validate(model, given)


def parse_name(field: str, value: str) -> str:
    """Raises `InvalidRequest` for what is not a session or user id."""
    if not is_name(value):
        raise InvalidRequest(field, NAME_RULE)
    return value


def load_json(body: bytes) -> Any:
    """Strict JSON: UTF-8, no duplicate names, no NaN or Infinity, no bottomless nesting. Raises `InvalidRequest`."""
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except UnicodeDecodeError:
        raise InvalidRequest("body", "must be UTF-8") from None
    except RecursionError:
        raise InvalidRequest("body", "must not be nested so deeply") from None
    except json.JSONDecodeError as error:
        raise InvalidRequest("body", f"must be JSON: {error}") from None
    except ValueError:
        raise InvalidRequest("body", "must not contain a number of thousands of digits") from None


def _refuse_constant(name: str) -> None:
    raise InvalidRequest("body", f"must be JSON: {name} is not")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise InvalidRequest(_printable(name), "must be given once")
        found[name] = value
    return found


def parse_idempotency_key(key: str | None) -> str | None:
    if key is not None and not (1 <= len(key) <= 255 and PRINTABLE_ASCII.issuperset(key)):
        raise InvalidRequest("Idempotency-Key", "must be 1 to 255 printable ASCII characters")
    return key


Model = TypeVar("Model", bound=BaseModel)


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
    return _printable(".".join(parts))


def _in_words(error: ErrorDetails, model: type[BaseModel]) -> str:
    if error["type"] == "extra_forbidden":
        known = ", ".join(model.model_fields)
        nearest = difflib.get_close_matches(str(error["loc"][0]), model.model_fields, n=1)
        return f"is not known; {f'did you mean {nearest[0]}?' if nearest else f'there is: {known}'}"
    if error["type"] == "literal_error":
        return f"must be {error['ctx']['expected']}"
    return RULES.get(error["type"], error["msg"])


def _printable(name: str) -> str:
    """A caller's own spelling, fit to be sent back and logged."""
    return name.encode("unicode_escape").decode()[:200]
