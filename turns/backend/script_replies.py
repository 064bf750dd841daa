"""The replies of the scripts as values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from turns.backend.record import to_turn_record


class Reply(StrEnum):
    """The outcome of a script, the first part of its reply."""

    ACCEPTED = "ACCEPTED"
    REPLAYED = "REPLAYED"
    KEY_REUSED = "KEY_REUSED"
    SESSION_CHANGED = "SESSION_CHANGED"
    NOT_COMMITTED = "NOT_COMMITTED"
    NOT_LAST = "NOT_LAST"
    SESSION_BUSY = "SESSION_BUSY"
    BACKLOG_FULL = "BACKLOG_FULL"
    OVERLOADED = "OVERLOADED"
    PAUSED = "PAUSED"
    TENANT_BACKLOG_FULL = "TENANT_BACKLOG_FULL"
    RATE_LIMITED = "RATE_LIMITED"
    TOKENS_SPENT = "TOKENS_SPENT"
    FILE_GONE = "FILE_GONE"
    CLAIMED = "CLAIMED"
    EXPIRED = "EXPIRED"
    NOT_NOW = "NOT_NOW"
    COMMITTED = "COMMITTED"
    INTERRUPTED = "INTERRUPTED"
    RELEASED = "RELEASED"
    CONNECTED = "CONNECTED"
    SUPERSEDED = "SUPERSEDED"
    FAILED = "FAILED"
    FOLDED = "FOLDED"
    RETRYING = "RETRYING"
    CANCELLED = "CANCELLED"
    ENDED = "ENDED"
    DISPATCHED = "DISPATCHED"
    RESCUED = "RESCUED"
    RESTORED = "RESTORED"
    BROKEN = "BROKEN"
    CLOCK_SET_BACK = "CLOCK_SET_BACK"
    REOPENED = "REOPENED"
    RESUMED = "RESUMED"
    WAITING = "WAITING"
    IMPORTED = "IMPORTED"
    FORKED = "FORKED"
    NOT_EMPTY = "NOT_EMPTY"
    ADOPTED = "ADOPTED"
    ERASED = "ERASED"
    MORE = "MORE"
    FOUND = "FOUND"
    COUNTED = "COUNTED"
    RECORDED = "RECORDED"
    BUSY = "BUSY"
    LIMITED = "LIMITED"
    REMOVED = "REMOVED"
    TOO_MANY = "TOO_MANY"
    REPORTED = "REPORTED"
    LOST = "LOST"
    GONE = "GONE"


@dataclass(frozen=True, slots=True)
class TurnSnapshot:
    """A turn as `turn_snapshot` in Lua returns it.

    `ahead` is the turn right before it in its session, or ''; `pace_ms` is the recent duration of a turn.
    """

    turn_id: str
    record: Mapping[str, str]
    position: int
    ahead: str
    pace_ms: int

    @classmethod
    def from_reply(cls, turn_id: str, reply: Sequence[Any]) -> Self:
        record, position, ahead, pace_ms = reply[:4]
        return cls(turn_id, to_turn_record(record), int(position), ahead.decode(), int(pace_ms))


@dataclass(frozen=True, slots=True)
class LiveCount:
    """The live turns of a tenant, and since when (ms) the first of its heads that do not run has waited, or None."""

    running: int
    live: int
    waiting_since: int | None

    def __add__(self, other: "LiveCount") -> "LiveCount":
        since = [at for at in (self.waiting_since, other.waiting_since) if at is not None]
        return LiveCount(self.running + other.running, self.live + other.live, min(since, default=None))


@dataclass(frozen=True, slots=True)
class SessionSnapshot:
    """A session as `session_snapshot` in Lua returns it; `live` are its live turns, head first."""

    session_id: str
    user_id: str
    messages: int
    active_at: int | None
    is_running: bool
    live: tuple[str, ...]
    version: int
    details: Mapping[str, str]

    @classmethod
    def from_reply(cls, reply: Sequence[Any]) -> Self:
        session_id, user_id, messages, active_at, running, live, version, details = reply
        return cls(
            session_id.decode(),
            user_id.decode(),
            int(messages),
            int(active_at) if active_at else None,
            running == b"1",
            tuple(turn.decode() for turn in live),
            int(version),
            to_record(details),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreIdentity:
    """Which store this is: an id that it got at `since` (ms), and whether callers need an API key.

    `partitions` are those of a Redis Cluster that answer, the home partition among them.
    """

    id: str
    since: int
    needs_keys: bool
    partitions: "Mapping[int, StoreIdentity]" = field(default_factory=dict)


def to_outcomes(reply: Iterable[bytes]) -> list[tuple[str, Reply]]:
    """Return the pairs of a flat reply (name, outcome, …): a turn id or a token, and its outcome."""
    parts = [part.decode() for part in reply]
    return [(name, Reply(outcome)) for name, outcome in zip(parts[::2], parts[1::2], strict=True)]


def to_record(reply: Iterable[bytes] | Mapping[bytes, bytes]) -> dict[str, str]:
    """Return the fields of a hash from a flat reply (name, value, …) or from a map.

    A command returns a map, unless the URL of the store selects the older protocol RESP2; scripts reply flat.
    """
    if isinstance(reply, Mapping):
        return {name.decode(): value.decode() for name, value in reply.items()}
    parts = [part.decode() for part in reply]
    return dict(zip(parts[::2], parts[1::2], strict=True))
