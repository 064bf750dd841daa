"""The running and waiting turns of all tenants: the first live turn of each session."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Self

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.record import read_turn_records
from turns.domain.assistant import Lane
from turns.domain.ids import tenant_of
from turns.domain.state import Status
from turns.domain.wait_reason import SILENT
from turns.domain.worker_kind import WorkerKind
from turns.operations.waits import read_open_wait

SCAN_LIMIT = 500  # turns that one call reads from each of two indexes: the waiting ones and the ones due next


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveTurn:
    """The first live turn of a session, without message text; `behind` counts the turns after it."""

    id: str
    session: str
    session_id: str
    user_id: str | None
    status: Status
    attempt: int
    losses: int
    lane: Lane
    queue: str | None
    assistant: str | None
    provider: str | None
    model: str | None
    worker: str | None
    last_error_code: str | None
    accepted_at: int
    started_at: int | None
    first_token_at: int | None
    retry_at: int | None
    held_by: str | None
    open_wait: str | None
    paused_by: str | None
    behind: int

    @property
    def worker_kind(self) -> WorkerKind:
        return WorkerKind(self.queue) if self.queue else WorkerKind.LOOP

    @property
    def silent_since(self) -> int | None:
        """The time (ms) since which its run has sent no text in the middle of the answer, if that is long ago."""
        wait = read_open_wait(self.open_wait, until="") if self.open_wait else None
        return wait.since if wait and wait.reason == SILENT else None

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of the service, by name, whose pause keeps it from starting, as far as its record has them."""
        of_kind = {"tenant": self.tenant, "lane": self.lane, "assistant": self.assistant, "model": self.model}
        parts = (f"{kind}/{name}" for kind, name in of_kind.items() if name)
        return ("workers", *parts, *([self.paused_by] if self.paused_by else []))

    @property
    def tenant(self) -> str:
        return tenant_of(self.session)

    @classmethod
    def from_record(cls, turn_id: str, record: Mapping[str, str], *, behind: int) -> Self:
        def instant(name: str) -> int | None:
            return int(record[name]) if name in record else None

        running = record["status"] == Status.IN_PROGRESS  # otherwise these times are those of an earlier run
        return cls(
            id=turn_id,
            session=record["session"],
            session_id=record["session_id"],
            user_id=record.get("user_id") or None,
            status=Status(record["status"]),
            attempt=int(record["attempt"]),
            losses=int(record.get("losses", 0)),
            lane=Lane(record.get("lane", Lane.INTERACTIVE)),
            queue=record.get("queue"),
            assistant=record.get("assistant"),
            provider=record.get("provider"),
            model=record.get("model"),
            worker=record.get("worker"),
            last_error_code=record.get("last_error_code"),
            accepted_at=int(record["accepted_at"]),
            started_at=instant("started_at") if running else None,
            first_token_at=instant("first_token_at") if running else None,
            retry_at=instant("retry_at"),
            held_by=record.get("held_by"),
            open_wait=record.get("open_wait"),
            paused_by=record.get("paused_by"),
            behind=behind,
        )


FIELDS = [field.name for field in fields(LiveTurn) if field.name not in {"id", "behind"}]  # those in the record


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveTurns:
    """The first live turns of sessions; `is_complete` is false if there are more than one call reads."""

    turns: tuple[LiveTurn, ...]
    is_complete: bool


def read_live_turns(client: Client) -> LiveTurns:
    """Return the first live turn of each session, in order of acceptance.

    If there are too many: those that have waited longest, and those that run or will start soon.

    Raises `StoreUnavailable`.
    """
    commands = [("ZRANGE", index.name, 0, SCAN_LIMIT - 1) for index in (keys.WAITING, keys.DUE)]
    *found, count = client.execute_many([*commands, ("ZCARD", keys.DUE.name)])
    turn_ids = dict.fromkeys(turn.decode() for turns in found for turn in turns)
    live = [turn for turn in read_turns(client, list(turn_ids)) if not turn.status.is_terminal]
    return LiveTurns(turns=tuple(sorted(live, key=lambda turn: turn.accepted_at)), is_complete=len(turn_ids) >= count)


def read_turns(client: Client, turn_ids: Sequence[str]) -> list[LiveTurn]:
    """Return those of the turns that have a record, each as if it were the first of its session."""
    records = read_turn_records(client, turn_ids, FIELDS)
    kept = {turn_id: record for turn_id, record in zip(turn_ids, records, strict=True) if "status" in record}
    lengths = client.execute_many([("LLEN", keys.QUEUE(record["session"])) for record in kept.values()])
    return [
        LiveTurn.from_record(turn_id, record, behind=max(0, length - 1))
        for (turn_id, record), length in zip(kept.items(), lengths, strict=True)
    ]
