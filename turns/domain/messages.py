"""Stored messages in LangChain's layout, read and written without LangChain, and pages of them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from turns.domain.content.parts import Part, PartType, text_of
from turns.domain.error_codes import Code, error_message
from turns.domain.ids import created_at, is_turn_id
from turns.domain.open_enum import member_or_text
from turns.domain.state import Status

ROLES = {"human": "user", "HumanMessageChunk": "user", "ai": "assistant", "AIMessageChunk": "assistant"}
TURN_ID_LENGTH = len("turn_") + 32
VERSION_DIGIT = len("turn_") + 12  # of the UUID, in a turn id
MAX_TIME = 253_402_300_799_999  # the end of the year 9999, the last one that a response can show
TYPES = {"user": "human", "assistant": "ai"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One committed message of a person or a model.

    `number` is its position in the session's history, from 1. `created_at` (ms) is the time at which
    its turn was accepted or answered, None if that is unknown. `metadata` is that of its turn.
    `is_incomplete`: it is the partial answer of a turn that was stopped.
    """

    number: int
    role: str
    content: str
    turn_id: str | None
    parts: tuple[Part, ...] = ()
    created_at: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    is_incomplete: bool = False

    @classmethod
    def from_stored(cls, number: int, stored: bytes, following: bytes | None = None) -> Self | None:
        """Parse a stored message; return None for anything but a message of a person or a model with text.

        `following` is the message after it: a question without an id belongs to the turn of its answer.
        Content blocks are reduced to their text, with a placeholder for each image and file. Other programs may write
        other messages to the same list.
        """
        try:
            item = json.loads(stored)
            role, data = _role(item), item["data"]
            parts = _parts_of(data["content"])
            text = text_of(parts)
            text.encode()  # raises for a lone surrogate, which no response could carry
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
        if not text and (data.get("tool_calls") or data["content"] != ""):
            return None
        turn_id = _turn_of(item.get("turn")) or _turn_of(data.get("id"))
        if following and role == "user" and "id" not in data and "turn" not in item:
            turn_id = _turn_of_answer(following)
        is_more = any(part.type is not PartType.TEXT for part in parts)
        return cls(
            number=number,
            role=role,
            content=text,
            turn_id=turn_id,
            parts=tuple(parts) if is_more else (),
            created_at=_time_of(item.get("at"), turn_id),
            metadata=_metadata_of(item.get("metadata")),
            is_incomplete=_is_incomplete(data),
        )

    def to_stored(self) -> str:
        """Return the stored form, without a message id, which must not occur twice in one history."""
        kind = TYPES[self.role]
        content = [part.block for part in self.parts] if self.parts else self.content
        stored: dict[str, object] = {"type": kind, "data": {"content": content, "type": kind}}
        origin = {"turn": self.turn_id, "at": self.created_at, "metadata": self.metadata}
        return json.dumps({**stored, **{name: value for name, value in origin.items() if value}})


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePage:
    """A page of messages in the requested order; `after` is the cursor of the next page, None on the last."""

    messages: tuple[Message, ...]
    after: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnansweredQuestion:
    """A question whose turn failed, expired or was cancelled, as its session keeps it; a long one is cut.

    `after` is the number of the last message before it, 0 without one, and `sequence` the number of its turn.
    `reason` is the error code of a failed turn, `expired` or ''. Instants are ms since the epoch.
    """

    turn_id: str
    sequence: int
    after: int
    question: str
    is_cut: bool
    status: str
    reason: str
    accepted_at: int
    finished_at: int

    @classmethod
    def from_stored(cls, stored: bytes) -> Self:
        return cls(**json.loads(stored))

    @property
    def failure(self) -> dict[str, str] | None:
        if self.status != Status.FAILED:
            return None
        code = member_or_text(Code, self.reason)
        return {"code": code, "message": error_message(code, model=None, provider_status=None)}


def to_lines(messages: Iterable[Message]) -> str:
    """Return the stored messages, one a line."""
    return "\n".join(message.to_stored() for message in messages)


def parse_lines(lines: str) -> tuple[Message, ...]:
    """Parse what `to_lines` has returned."""
    numbered = enumerate(lines.encode().splitlines(), start=1)
    return tuple(message for number, line in numbered if (message := Message.from_stored(number, line)))


def parse_numbers(messages: str) -> range:
    """Return the numbers of messages that `<first>-<last>` names."""
    first, _, last = messages.partition("-")
    return range(int(first), int(last) + 1)


def window_length(length: int, max_messages: int) -> int:
    """Return how many of the last messages the model receives; `read_window.lua` implements the same rule.

    The window slides in steps of half its size, so that the prompt begins the same for several turns, which the
    provider's prompt cache needs.
    """
    step = max(1, max_messages // 2)
    steps_beyond = max(0, -(-(length - max_messages) // step))
    return max(0, length - step * steps_beyond)


def page_numbers(count: int, *, after: int | None, limit: int, newest_first: bool) -> range:
    """Return the numbers of a page's messages; `after` is the last number of the previous page."""
    if newest_first:
        last = count if after is None else min(count, after - 1)
        return range(last, max(0, last - limit), -1)
    first = 1 if after is None else after + 1
    return range(first, min(count, first + limit - 1) + 1)


def build_page(numbers: range, stored: Mapping[int, bytes], count: int) -> MessagePage:
    """Return the page of the messages with these numbers; `stored` has those that exist, and the one behind them."""
    if not numbers:
        return MessagePage(messages=(), after=None)
    more = min(numbers) > 1 if numbers.step < 0 else max(numbers) < count
    found = [Message.from_stored(n, stored[n], stored.get(n + 1)) for n in numbers if n in stored]
    messages = tuple(message for message in found if message)
    return MessagePage(messages=messages, after=numbers[-1] if more else None)


def question_turn(answer_id: Any) -> str | None:
    """Return the turn of a question without an id, from the id of the message behind it, unless that is a question."""
    return None if isinstance(answer_id, str) and answer_id.endswith("_human") else _turn_of(answer_id)


def _turn_of_answer(stored: bytes) -> str | None:
    try:
        return question_turn(json.loads(stored)["data"].get("id"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):  # another program has written it
        return None


def _turn_of(text: Any) -> str | None:
    """Return the id of the turn with which an id of a message begins, or that itself, as earlier releases stored it."""
    turn_id = text[:TURN_ID_LENGTH] if isinstance(text, str) else ""
    return turn_id if is_turn_id(turn_id) and text[TURN_ID_LENGTH:][:1] in {"", "_"} else None


def _time_of(at: Any, turn_id: str | None) -> int | None:
    """Return the stored time; without one, that in the id of the turn, unless a caller has made that up."""
    if at is None and turn_id and turn_id[VERSION_DIGIT] == "7":
        at = created_at(turn_id)
    return at if isinstance(at, int) and 0 < at <= MAX_TIME else None


def _metadata_of(metadata: Any) -> Mapping[str, str]:
    is_valid = isinstance(metadata, dict) and all(isinstance(value, str) for value in metadata.values())
    return metadata if is_valid else {}


def _is_incomplete(data: Any) -> bool:
    metadata = data.get("response_metadata")
    return isinstance(metadata, dict) and metadata.get("status") == "incomplete"


def _role(item: Any) -> str:
    """Return the role of a stored message. Raise `KeyError` if it is not of a person or a model."""
    if item["type"] == "chat" and item["data"]["role"] in TYPES:  # LangChain's `ChatMessage`
        return str(item["data"]["role"])
    return ROLES[item["type"]]


def _parts_of(content: Any) -> list[Part]:
    """Return the parts of a text or of a list of blocks. Raise `TypeError` for any other type."""
    if isinstance(content, str):
        return [Part(type=PartType.TEXT, text=content)]
    if not isinstance(content, list):
        raise TypeError("neither text nor blocks")
    return [part for block in content if (part := Part.from_block(block))]
