"""Stored messages, as the web process reads them: the stock layout, without LangChain."""

import json
from dataclasses import dataclass
from typing import Self

ROLES = {"human": "user", "ai": "assistant", "AIMessageChunk": "assistant"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One committed message. `number` is its place in the session's history, from 1, and never changes."""

    number: int
    role: str
    content: str
    turn_id: str | None

    @classmethod
    def from_stored(cls, number: int, stored: bytes) -> Self | None:
        """None for what is not a text message of a person or a model: others may write to this list too."""
        try:
            item = json.loads(stored)
            role, content = ROLES[item["type"]], item["data"]["content"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
        if not isinstance(content, str):
            return None
        return cls(number=number, role=role, content=content, turn_id=item.get("turn"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some messages in the order asked for; `after` is the cursor of the next page, None on the last."""

    messages: tuple[Message, ...]
    after: int | None
