"""Stored messages, as the web process reads them: the stock layout, without LangChain."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from turns.domain.ids import is_turn_id

ROLES = {"human": "user", "ai": "assistant", "AIMessageChunk": "assistant"}
TYPES = {"user": "human", "assistant": "ai"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One committed message of a person or a model.

    `number` is its place in the session's history, from 1, and never changes.
    """

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
            str(content).encode()  # half a character is none
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
        if not isinstance(content, str) or (not content and item["data"].get("tool_calls")):
            return None
        turn = item.get("turn")
        turn_id = turn if isinstance(turn, str) and is_turn_id(turn) else None
        return cls(number=number, role=role, content=content, turn_id=turn_id)

    def to_stored(self) -> str:
        """What `from_stored` reads. Without an id, which a chain must not find twice in a history."""
        kind = TYPES[self.role]
        stored: dict[str, object] = {"type": kind, "data": {"content": self.content, "type": kind}}
        return json.dumps(stored if self.turn_id is None else {**stored, "turn": self.turn_id})


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some messages in the order asked for; `after` is the cursor of the next page, None on the last."""

    messages: tuple[Message, ...]
    after: int | None


def in_window(length: int, most: int) -> int:
    """How many of the last messages the model sees, as `window` in `history.lua` has it."""
    half = max(1, most // 2)
    beyond = max(0, -(-(length - most) // half))
    return max(0, length - half * beyond)


def places(count: int, *, after: int | None, limit: int, newest_first: bool) -> range:
    """The numbers of the messages of one page, in its order; `after` is the last number of the page before."""
    if newest_first:
        last = count if after is None else min(count, after - 1)
        return range(last, max(0, last - limit), -1)
    first = 1 if after is None else after + 1
    return range(first, min(count, first + limit - 1) + 1)


def page(numbers: range, items: Iterable[bytes], count: int) -> Page:
    """`items` are the stored messages with these numbers, as far as they are still there."""
    if not numbers:
        return Page(messages=(), after=None)
    found = zip(numbers, items, strict=False)
    more = min(numbers) > 1 if numbers.step < 0 else max(numbers) < count
    messages = tuple(m for number, item in found if (m := Message.from_stored(number, item)))
    return Page(messages=messages, after=numbers[-1] if more else None)
