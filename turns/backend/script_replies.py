"""What the scripts are told and what they answer, as values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self


class Reply(StrEnum):
    """The words that scripts answer with."""

    ACCEPTED = "ACCEPTED"
    REPLAYED = "REPLAYED"
    KEY_REUSED = "KEY_REUSED"
    SESSION_BUSY = "SESSION_BUSY"
    BACKLOG_FULL = "BACKLOG_FULL"
    OVERLOADED = "OVERLOADED"
    PAUSED = "PAUSED"
    TENANT_BACKLOG_FULL = "TENANT_BACKLOG_FULL"
    RATE_LIMITED = "RATE_LIMITED"
    TOKENS_SPENT = "TOKENS_SPENT"
    CLAIMED = "CLAIMED"
    EXPIRED = "EXPIRED"
    NOT_NOW = "NOT_NOW"
    COMMITTED = "COMMITTED"
    INTERRUPTED = "INTERRUPTED"
    RELEASED = "RELEASED"
    SUPERSEDED = "SUPERSEDED"
    FAILED = "FAILED"
    RETRYING = "RETRYING"
    CANCELLED = "CANCELLED"
    ENDED = "ENDED"
    DISPATCHED = "DISPATCHED"
    RESCUED = "RESCUED"
    WAITING = "WAITING"
    IMPORTED = "IMPORTED"
    NOT_EMPTY = "NOT_EMPTY"
    ERASED = "ERASED"
    MORE = "MORE"
    FOUND = "FOUND"
    LOST = "LOST"
    GONE = "GONE"


@dataclass(frozen=True, slots=True)
class TurnSnapshot:
    """A turn as `show` gives it."""

    turn_id: str
    record: Mapping[str, str]
    position: int
    ahead: str
    pace_ms: int

    @classmethod
    def from_reply(cls, turn_id: str, reply: Sequence[Any]) -> Self:
        record, position, ahead, pace_ms = reply[:4]
        return cls(turn_id, to_record(record), int(position), ahead.decode(), int(pace_ms))


@dataclass(frozen=True, slots=True)
class SessionSnapshot:
    """A session as `show_session` gives it."""

    session_id: str
    user_id: str
    messages: int
    active_at: int | None
    is_running: bool
    live: tuple[str, ...]

    @classmethod
    def from_reply(cls, reply: Sequence[Any]) -> Self:
        session_id, user_id, messages, active_at, running, live = reply
        return cls(
            session_id.decode(),
            user_id.decode(),
            int(messages),
            int(active_at) if active_at else None,
            running == b"1",
            tuple(turn.decode() for turn in live),
        )


def words(flat: Iterable[bytes]) -> list[tuple[str, Reply]]:
    parts = [part.decode() for part in flat]
    return [(name, Reply(word)) for name, word in zip(parts[::2], parts[1::2], strict=True)]


def to_record(reply: Iterable[bytes] | Mapping[bytes, bytes]) -> dict[str, str]:
    """Of name, value, …; or of a map, as which a store gives a hash, unless its URL names the older protocol."""
    if isinstance(reply, Mapping):
        return {name.decode(): value.decode() for name, value in reply.items()}
    parts = [part.decode() for part in reply]
    return dict(zip(parts[::2], parts[1::2], strict=True))
