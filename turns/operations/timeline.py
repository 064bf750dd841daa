"""The timeline of one turn: the outcome of each run, and why it waited before; no message text."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self, cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.record import to_turn_record
from turns.domain.errors import TurnNotFound
from turns.domain.ids import is_turn_id
from turns.domain.turn import Turn
from turns.domain.wait_reason import Reason
from turns.domain.worker_kind import WorkerKind
from turns.operations.facts import read_now_ms
from turns.operations.waits import Wait, read_waits
from turns.processes.listing import read_gaps


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """The run that followed one claim.

    `ended_by` is the transition after which another run follows, or the status with which the turn ended.
    """

    number: int
    attempt: int
    worker: str
    model: str
    started_at: int
    first_token_at: int | None
    ended_at: int | None
    ended_by: str | None
    code: str | None
    provider_request_id: str | None

    @classmethod
    def from_item(cls, item: Sequence[str]) -> Self:
        """Build a run from the list that `record_run` in `requeue.lua` writes; '' stands for a missing value."""
        number, attempt, worker, model, started_at, first_token_at, ended_at, ended_by, code, *more = item
        return cls(
            number=int(number),
            attempt=int(attempt),
            worker=worker,
            model=model,
            started_at=int(started_at),
            first_token_at=int(first_token_at) if first_token_at else None,
            ended_at=int(ended_at) if ended_at else None,
            ended_by=ended_by or None,
            code=code or None,
            provider_request_id=(more[0] or None) if more else None,  # an older release has written none
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """A turn with its last runs and waits, each in order; `hinted_at` is the time of its last dispatch."""

    turn: Turn
    hinted_at: int | None
    request_id: str | None
    trace_id: str | None
    runs: tuple[RunRecord, ...]
    waits: tuple[Wait, ...]


def read_timeline(client: Client, turn_id: str) -> Timeline:
    """Return the timeline of a turn of any tenant. Raises `TurnNotFound`, `StoreUnavailable`."""
    found = cast(dict[bytes, bytes], client.hgetall(keys.TURN(turn_id))) if is_turn_id(turn_id) else {}
    record = to_turn_record(found)
    if "status" not in record:
        raise TurnNotFound
    hinted_at, traceparent = record.get("hinted_at"), record.get("traceparent")
    return Timeline(
        turn=Turn.from_record(turn_id, record, position=1),
        hinted_at=int(hinted_at) if hinted_at else None,
        request_id=record.get("request_id"),
        trace_id=traceparent.split("-")[1] if traceparent else None,
        runs=tuple(read_runs(record)),
        waits=tuple(sorted([*read_waits(record), *_without_worker(client, record)], key=lambda wait: wait.since)),
    )


def read_runs(record: Mapping[str, str]) -> list[RunRecord]:
    """Return the runs in the record of a turn, in order; the last one may still be running."""
    items = json.loads(record.get("runs", "[]"))
    if "worker" in record:  # Otherwise the last run is over and is one of `runs`.
        names = ("claims", "attempt", "worker", "model", "started_at", "first_token_at", "finished_at")
        ended_by = record["status"] if "finished_at" in record else ""
        rest = (ended_by, record.get("error_code", ""), record.get("provider_request_id", ""))
        items.append([*(record.get(name, "") for name in names), *rest])
    return list(map(RunRecord.from_item, items))


def _without_worker(client: Client, record: Mapping[str, str]) -> Iterator[Wait]:
    """Yield the times within the life of a turn in which no worker of its kind was running."""
    start, end = int(record["accepted_at"]), int(record.get("finished_at", 0)) or None
    gaps = read_gaps(client, WorkerKind(record.get("queue", WorkerKind.LOOP)), now_ms=read_now_ms(client))
    for gap in gaps:
        until = min((at for at in (gap.until, end) if at), default=None)
        if (until is None or until > start) and (end is None or gap.since < end):
            yield Wait(reason=Reason.NO_WORKER, since=max(start, gap.since), until=until, what="")
