"""A conversation as the messages with which a page begins."""

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel

from turns.domain.content.parts import Part, PartType
from turns.domain.messages import Message
from turns.domain.turn import Turn
from web.surfaces.ai_sdk.files import ANY_IMAGE, file_url


class UIMessageView(BaseModel):
    """A message as `useChat` shows it. The id of an answer is that of its turn."""

    id: str
    role: Literal["user", "assistant"]
    parts: list[dict[str, Any]]


class Chat(BaseModel):
    id: str
    messages: list[UIMessageView]


def to_ui_messages(committed: Iterable[Message], next_turn: Turn | None) -> list[UIMessageView]:
    """Return the committed messages, and the question of the turn whose answer comes next, if there is one.

    The questions of later turns would be shown before that answer, so a page loads them when it has ended.
    """
    shown = [
        _view(message.turn_id, message.number, message.role, message.parts or _text(message.content))
        for message in committed
    ]
    if next_turn:
        shown.append(_view(next_turn.id, 0, "user", next_turn.parts or _text(next_turn.input)))
    return shown


def _ui_part(part: Part) -> dict[str, Any]:
    """Return a part as a page shows it. The address of a file is a path of this service."""
    if part.type is PartType.TEXT:
        return {"type": "text", "text": part.text}
    named = {"filename": part.name} if part.name else {}
    return {"type": "file", "mediaType": part.media_type or ANY_IMAGE, "url": file_url(part.block), **named}


def _text(text: str) -> tuple[Part, ...]:
    return (Part(type=PartType.TEXT, text=text),)


def question_id(turn_id: str) -> str:
    """Return the id of the question of a turn on a page that has loaded it."""
    return f"{turn_id}-input"


def _view(turn_id: str | None, number: int, role: str, parts: Iterable[Part]) -> UIMessageView:
    name = turn_id or f"message-{number}"  # an imported message has no turn
    is_answer = role == "assistant"
    return UIMessageView(
        id=name if is_answer else question_id(name),
        role="assistant" if is_answer else "user",
        parts=[_ui_part(part) for part in parts],
    )
