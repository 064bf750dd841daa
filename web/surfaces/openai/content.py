"""Messages of the protocol as text or parts of an input, and the other way round."""

from collections.abc import Sequence
from typing import Any

from turns.domain.content.parts import Part, PartType
from turns.domain.errors import InvalidRequest
from web.surfaces.openai.attachments import Attachment, read_attachment

INPUT_TYPES = ("input_text", "input_image", "input_file")
TEXT_TYPES = {"input_text", "output_text", "text"}

Content = str | list[dict[str, Any] | Attachment]


def to_input(content: Any, field: str) -> Content:
    """Return the content of a user's message as the `input` of a turn: text, or parts. Raises `InvalidRequest`."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list) or not content:
        raise InvalidRequest(field, "must be text, or a list of parts")
    parts = [_to_part(part, f"{field}.{n}") for n, part in enumerate(content)]
    texts = [part["text"] for part in parts if isinstance(part, dict) and part["type"] == "text"]
    return "\n".join(texts) if len(texts) == len(parts) else parts


def to_text(content: Any, field: str) -> str:
    """Return the content of a message that has text alone. Raises `InvalidRequest`."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise InvalidRequest(field, "must be text, or a list of parts")
    for n, part in enumerate(content):
        if not isinstance(part, dict) or part.get("type") not in TEXT_TYPES or not isinstance(part.get("text"), str):
            raise InvalidRequest(f"{field}.{n}.type", "must be text: an earlier message has nothing else")
    return "\n".join(part["text"] for part in content)


def _to_part(part: Any, field: str) -> dict[str, Any] | Attachment:
    given = {name: value for name, value in part.items() if value is not None} if isinstance(part, dict) else {}
    match given:
        case {"type": "input_text", "text": str(text)}:
            return {"type": "text", "text": text}
        case {"type": "input_image", "file_id": str(file_id)}:
            return {"type": "image", "file_id": file_id}
        case {"type": "input_image", "image_url": str(url)} if url.startswith("data:"):
            return read_attachment("image", url, f"{field}.image_url")
        case {"type": "input_image", "image_url": str(url)}:
            return {"type": "image", "url": url}
        case {"type": "input_file", "file_id": str(file_id)}:
            return {"type": "file", "file_id": file_id}
        case {"type": "input_file", "file_data": str(url)}:
            return read_attachment("file", url, f"{field}.file_data", name=given.get("filename"))
        case {"type": "input_file"}:
            raise InvalidRequest(f"{field}.file_id", "is required, or file_data with a data URL")
    raise InvalidRequest(f"{field}.type", f"must be {', '.join(INPUT_TYPES)}, with its field")


def to_content(text: str, parts: Sequence[Part]) -> list[dict[str, Any]]:
    """Return the content of a question."""
    return [_from_part(part) for part in parts] or [{"type": "input_text", "text": text}]


def _from_part(part: Part) -> dict[str, Any]:
    match part.type:
        case PartType.TEXT:
            return {"type": "input_text", "text": part.text}
        case PartType.IMAGE:
            return {"type": "input_image", "detail": "auto", "file_id": part.file_id, "image_url": part.url}
        case PartType.FILE:
            return {"type": "input_file", "file_id": part.file_id, "filename": part.name or None}


def text_content(text: str, annotations: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """Return the content of an answer."""
    return {"type": "output_text", "text": text, "annotations": list(annotations), "logprobs": []}


def to_listing(data: list[dict[str, Any]], *, has_more: bool) -> dict[str, Any]:
    """Return a page of items."""
    first, last = (data[0]["id"], data[-1]["id"]) if data else ("", "")
    return {"object": "list", "data": data, "first_id": first, "last_id": last, "has_more": has_more}
