"""The messages of a completion: instructions, the past, and the question."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from turns.domain.content.parts import MAX_PARTS, is_file_id
from turns.domain.errors import InvalidRequest
from web.surfaces.openai.attachments import Attachment, read_attachment
from web.surfaces.openai.unsupported import UnsupportedParameter

INSTRUCTIONS = ("system", "developer")
MAX_PAST_BYTES = 1024 * 1024  # of text; more than any model reads
EMPTY = {"type": "text", "text": ""}


class MessageBody(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[dict[str, Any]] | None = None
    name: str | None = None
    refusal: str | None = None
    tool_calls: list[Any] | None = None
    function_call: Any = None
    audio: Any = None


@dataclass(frozen=True, slots=True)
class Content:
    """A message: `parts` as those of a turn, with attachments in their places; () for text alone."""

    field: str
    role: str
    text: str
    parts: tuple[dict[str, Any] | Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation as it was sent: the instructions at the beginning, the past, and the question at the end."""

    instructions: str
    past: tuple[Content, ...]
    question: Content


def read_conversation(messages: Sequence[MessageBody]) -> Conversation:
    """Return the conversation. Raises `InvalidRequest` for what cannot be sent to the model as it is."""
    for number, message in enumerate(messages):
        _check(f"messages.{number}", message)
    contents = [_read(f"messages.{number}", message) for number, message in enumerate(messages)]
    leading = next((n for n, one in enumerate(contents) if one.role not in INSTRUCTIONS), len(contents))
    instructions, rest = contents[:leading], contents[leading:]
    for content in rest:
        if content.role in INSTRUCTIONS:
            raise UnsupportedParameter(f"{content.field}.role", "must come before the messages of the user")
    if not rest or rest[-1].role != "user":
        raise InvalidRequest(f"messages.{len(messages) - 1}.role", "must be user: the last message is the question")
    if rest[0].role != "user":
        raise UnsupportedParameter(f"{rest[0].field}.role", "must be user: a conversation begins with a question")
    past = tuple(one for one in rest[:-1] if one.text or one.parts)  # a stopped answer may be empty
    if sum(map(_size_of, (*instructions, *past))) > MAX_PAST_BYTES:
        raise InvalidRequest("messages", f"must have at most {MAX_PAST_BYTES} bytes of text before the question")
    return Conversation("\n\n".join(one.text for one in instructions if one.text), past, rest[-1])


def _check(path: str, message: MessageBody) -> None:
    if message.role in {"tool", "function"}:
        raise UnsupportedParameter(f"{path}.role", "must be system, developer, user or assistant")
    for name in ("tool_calls", "function_call", "audio", "name"):
        if getattr(message, name):
            raise UnsupportedParameter(f"{path}.{name}", "is not supported")


def _size_of(content: Content) -> int:
    """Return the number of bytes of the text. Raises `InvalidRequest` for a text that cannot be stored."""
    try:
        size = len(content.text.encode())
    except UnicodeEncodeError:
        raise InvalidRequest(f"{content.field}.content", "must be valid Unicode, without lone surrogates") from None
    if "\0" in content.text:
        raise InvalidRequest(f"{content.field}.content", "must not contain the NUL character")
    return size


def _read(path: str, message: MessageBody) -> Content:
    given = message.content or message.refusal or ""
    if isinstance(given, str):
        return Content(path, message.role, given)
    takes_files = message.role == "user"
    read = [_part(part, f"{path}.content.{number}", takes_files=takes_files) for number, part in enumerate(given)]
    parts = [part for part in read if part != EMPTY]
    texts = [part["text"] for part in parts if isinstance(part, dict) and part["type"] == "text"]
    if len(parts) > MAX_PARTS:
        raise InvalidRequest(f"{path}.content", f"must have at most {MAX_PARTS} parts")
    return Content(path, message.role, "".join(texts), tuple(parts) if len(parts) > len(texts) else ())


def _part(part: Mapping[str, Any], path: str, *, takes_files: bool) -> dict[str, Any] | Attachment:
    match part.get("type"):
        case "text" | "refusal" as kind:
            return {"type": "text", "text": _text_at(part, kind, path)}
        case "image_url" if takes_files:
            return _image(part, path)
        case "file" if takes_files:
            return _file(part, path)
        case kind:
            raise UnsupportedParameter(path, f"parts of the type {kind!r} are not supported in a message of this role")


def _image(part: Mapping[str, Any], path: str) -> dict[str, Any] | Attachment:
    path = f"{path}.image_url"
    url = _text_at(_object_at(part, "image_url", path), "url", path)
    if is_file_id(url):
        return {"type": "image", "file_id": url}
    return read_attachment("image", url, f"{path}.url") if url.startswith("data:") else {"type": "image", "url": url}


def _file(part: Mapping[str, Any], path: str) -> dict[str, Any] | Attachment:
    given = _object_at(part, "file", f"{path}.file")
    if given.get("file_id") is not None:
        return {"type": "file", "file_id": _text_at(given, "file_id", f"{path}.file")}
    data = _text_at(given, "file_data", f"{path}.file")
    return read_attachment("file", data, f"{path}.file.file_data", name=given.get("filename"))


def _object_at(part: Mapping[str, Any], name: str, path: str) -> Mapping[str, Any]:
    value = part.get(name)
    if not isinstance(value, dict):
        raise InvalidRequest(path, "must be an object")
    return value


def _text_at(part: Mapping[str, Any], name: str, path: str) -> str:
    value = part.get(name)
    if not isinstance(value, str):
        raise InvalidRequest(f"{path}.{name}", "must be text")
    return value
