"""The body of `POST /responses`, and the fields of the turn that it stands for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from turns.domain.assistant import Assistant
from turns.domain.errors import FieldError, InvalidRequest
from turns.domain.messages import Message
from web.surfaces.openai.content import Content, to_input, to_text
from web.surfaces.openai.responses.parameters import TURN_FIELDS, to_response_format
from web.surfaces.openai.unsupported import UnsupportedParameter

MAX_ITEMS = 2000
INSTRUCTIONS = ("system", "developer")
# The names of a turn's fields in this protocol, for errors.
NAMES = {
    "session_id": "conversation",
    "assistant": "model",
    "variables": "prompt.variables",
    "response_format": "text.format",
    "response_format.json_schema": "text.format",
}


class Prompt(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    id: str
    version: str | None = None
    variables: dict[str, Any] | None = None


class ResponseBody(BaseModel):
    """The parameters that are honoured; `check_parameters` has seen to the others."""

    model_config = ConfigDict(extra="ignore", strict=True)

    input: Any
    model: str | None = None
    conversation: Any = None
    previous_response_id: str | None = None
    prompt: Prompt | None = None
    instructions: str | None = None
    store: bool | None = None
    metadata: dict[str, Any] | None = None
    background: bool | None = None
    stream: bool | None = None
    text: Any = None
    on_busy: Any = None
    lane: Any = None
    start_within_seconds: Any = None

    @property
    def conversation_id(self) -> str | None:
        """The id, of which there are two forms. Raises `InvalidRequest`."""
        match self.conversation:
            case None | str():
                return self.conversation
            case {"id": str(name)}:
                return name
        raise InvalidRequest("conversation", "must be the id of a conversation")

    @property
    def assistant(self) -> str:
        """The name of the assistant. Raises `InvalidRequest` if `model` and `prompt` differ."""
        named = self.prompt.id if self.prompt else None
        if self.model is not None and named not in {None, self.model}:
            raise InvalidRequest("model", "must be prompt.id: both are the name of the assistant")
        return named or self.model or "default"


@dataclass(frozen=True)
class Question:
    """The input of a turn, the messages before it, and instructions that follow those of the assistant."""

    content: Content
    instructions: str = ""
    earlier: tuple[Message, ...] = ()


def read_question(body: ResponseBody) -> Question:
    """Return the last message of the input, and what is before it. Raises `InvalidRequest`."""
    given = body.instructions or ""
    if isinstance(body.input, str):
        return Question(body.input, given)
    items = _items(body.input)
    first = next((n for n, item in enumerate(items) if item.get("role") not in INSTRUCTIONS), len(items))
    leading = [to_text(item.get("content"), f"input.{n}.content") for n, item in enumerate(items[:first])]
    at = f"input.{len(items) - 1}"
    if first == len(items) or _role(items[-1], at) != "user":
        raise InvalidRequest(f"{at}.role", "must be user: the last message is the question")
    earlier = read_messages(items[first:-1], "input", first=first)
    if earlier and earlier[0].role != "user":
        raise InvalidRequest(f"input.{first}.role", "must be user: a history starts with a message of the user")
    instructions = "\n\n".join(filter(None, [given, *leading]))
    return Question(to_input(items[-1].get("content"), f"{at}.content"), instructions, earlier)


def read_messages(items: list[dict[str, Any]], field: str, *, first: int = 0) -> tuple[Message, ...]:
    """Return messages of users and assistants that have text alone. Raises `InvalidRequest`.

    `first` is the position of the first one in the field.
    """
    return tuple(
        Message(
            number=number,
            role=_role(item, at := f"{field}.{first + number - 1}"),
            content=to_text(item.get("content"), f"{at}.content"),
            turn_id=None,
        )
        for number, item in enumerate(items, start=1)
    )


def to_submit(body: ResponseBody, content: Any, session_id: str, user_id: str | None) -> dict[str, Any]:
    """Return the body of `POST /v1/turns`."""
    optional = {name: value for name in TURN_FIELDS if (value := getattr(body, name)) is not None}
    if body.text is not None and (form := to_response_format(body.text)):
        optional["response_format"] = form
    return {
        "session_id": session_id,
        "user_id": user_id,
        "input": content,
        "assistant": body.assistant,
        "variables": dict(_variables(body.prompt)),
        "metadata": body.metadata or {},
        **optional,
    }


def check_version(prompt: Prompt | None, assistant: Assistant) -> None:
    """Raise `UnsupportedParameter` for a version of the assistant other than the present one."""
    if prompt and prompt.version not in {None, assistant.digest}:
        raise UnsupportedParameter("prompt.version", f"the present version is {assistant.digest}, and the only one")


def rename_fields(error: InvalidRequest) -> InvalidRequest:
    """Return the error with the names that the fields have in this protocol."""
    if type(error) is not InvalidRequest:
        return error
    renamed = [FieldError(_renamed(each.field), each.rule) for each in error.errors]
    return InvalidRequest(renamed[0].field, renamed[0].rule, *renamed[1:])


def _items(given: Any) -> list[dict[str, Any]]:
    if not isinstance(given, list) or not 1 <= len(given) <= MAX_ITEMS:
        raise InvalidRequest("input", f"must be text, or a list of 1 to {MAX_ITEMS} messages")
    for n, item in enumerate(given):
        if not isinstance(item, dict):
            raise InvalidRequest(f"input.{n}", "must be an object")
    return given


def _renamed(field: str) -> str:
    for name in sorted(NAMES, key=len, reverse=True):
        if field == name or field.startswith(f"{name}."):
            return NAMES[name] + field.removeprefix(name)
    return field


def _variables(prompt: Prompt | None) -> Iterator[tuple[str, Any]]:
    for name, value in ((prompt.variables if prompt else None) or {}).items():
        is_text = isinstance(value, Mapping) and value.get("type") == "input_text"
        yield name, value["text"] if is_text else value


def _role(item: dict[str, Any], at: str) -> str:
    if item.get("type", "message") != "message":
        raise UnsupportedParameter(f"{at}.type", "must be message: other items are not supported here")
    role = item.get("role")
    if role in INSTRUCTIONS:
        raise UnsupportedParameter(f"{at}.role", "must be user or assistant: instructions come first")
    if role not in {"user", "assistant"}:
        raise InvalidRequest(f"{at}.role", "must be user or assistant")
    return str(role)
