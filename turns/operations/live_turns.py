"""What runs and what waits, of all tenants: the head of each session."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from turns.backend import keys
from turns.backend.client import Client
from turns.domain.assistant import Lane
from turns.domain.ids import tenant_of
from turns.domain.state import Status

SCAN_LIMIT = 500  # heads that wait, and heads that are looked at next, which one call reads
FIELDS = (
    "session",
    "session_id",
    "user_id",
    "status",
    "attempt",
    "lane",
    "provider",
    "model",
    "worker",
    "last_error_code",
    "accepted_at",
    "started_at",
    "first_token_at",
    "retry_at",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveTurn:
    """The first live turn of a session. `behind`: how many others of the session wait for it. No message text."""

    id: str
    session: str
    session_id: str
    user_id: str | None
    status: Status
    attempt: int
    lane: Lane
    provider: str | None
    model: str | None
    worker: str | None
    last_error_code: str | None
    accepted_at: int
    started_at: int | None
    first_token_at: int | None
    retry_at: int | None
    behind: int

    @property
    def tenant(self) -> str:
        return tenant_of(self.session)

    @classmethod
    def from_record(cls, turn_id: str, record: Mapping[str, str], *, behind: int) -> Self:
        def instant(name: str) -> int | None:
            return int(record[name]) if name in record else None

        running = record["status"] == Status.IN_PROGRESS  # else the times are those of an earlier run
        return cls(
            id=turn_id,
            session=record["session"],
            session_id=record["session_id"],
            user_id=record.get("user_id") or None,
            status=Status(record["status"]),
            attempt=int(record["attempt"]),
            lane=Lane(record.get("lane", Lane.INTERACTIVE)),
            provider=record.get("provider"),
            model=record.get("model"),
            worker=record.get("worker"),
            last_error_code=record.get("last_error_code"),
            accepted_at=int(record["accepted_at"]),
            started_at=instant("started_at") if running else None,
            first_token_at=instant("first_token_at") if running else None,
            retry_at=instant("retry_at"),
            behind=behind,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveTurns:
    """`is_complete`: every head was looked at; else there are more than one call looks at."""

    heads: tuple[LiveTurn, ...]
    is_complete: bool


def read_live_turns(client: Client) -> LiveTurns:
    """Those accepted first come first. Where they are too many: those who wait longest, those that run or soon will.

    Raises `StoreUnavailable`.
    """
    asked = [("ZRANGE", index.name, 0, SCAN_LIMIT - 1) for index in (keys.WAITING, keys.DUE)]
    *found, count = client.execute_many([*asked, ("ZCARD", keys.DUE.name)])
    turn_ids = dict.fromkeys(turn.decode() for turns in found for turn in turns)
    live = [head for head in read_turns(client, list(turn_ids)) if not head.status.is_terminal]
    return LiveTurns(heads=tuple(sorted(live, key=lambda head: head.accepted_at)), is_complete=len(turn_ids) >= count)


def read_turns(client: Client, turn_ids: Sequence[str]) -> list[LiveTurn]:
    """The turns among these that are still there, each as if it were the head of its session."""
    answers = client.execute_many([("HMGET", keys.TURN(turn_id), *FIELDS) for turn_id in turn_ids])
    records = [(turn_id, _record(answer)) for turn_id, answer in zip(turn_ids, answers, strict=True)]
    there = [(turn_id, record) for turn_id, record in records if "status" in record]
    lengths = client.execute_many([("LLEN", keys.QUEUE(record["session"])) for _, record in there])
    return [
        LiveTurn.from_record(turn_id, record, behind=max(0, length - 1))
        for (turn_id, record), length in zip(there, lengths, strict=True)
    ]


def _record(values: Sequence[Any]) -> dict[str, str]:
    return {name: value.decode() for name, value in zip(FIELDS, values, strict=True) if value is not None}
