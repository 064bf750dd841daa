"""One turn as its operator sees it: when what happened to it, who ran it, how each run ended. Not what was said."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self, cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.script_replies import to_record
from turns.domain.assistant import Lane
from turns.domain.errors import TurnNotFound
from turns.domain.ids import is_turn_id
from turns.domain.state import Status
from turns.domain.turn import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What became of one claim. `ended_by`: the transition after which another run follows, or how the turn ended."""

    number: int
    attempt: int
    worker: str
    model: str
    started_at: int
    first_token_at: int | None
    ended_at: int | None
    ended_by: str | None
    code: str | None

    @classmethod
    def from_item(cls, item: list[str]) -> Self:
        """As `record_run` in `requeue.lua` writes it."""
        number, attempt, worker, model, started_at, first_token_at, ended_at, ended_by, code = item
        return cls(
            number=int(number),
            attempt=int(attempt),
            worker=worker,
            model=model,
            started_at=int(started_at),
            first_token_at=int(first_token_at) if first_token_at else None,
            ended_at=int(ended_at),
            ended_by=ended_by,
            code=code or None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """`runs`: the last ones, in order; `hinted_at`: when a worker was last told of it."""

    turn: Turn
    lane: Lane
    hinted_at: int | None
    trace_id: str | None
    runs: tuple[RunRecord, ...]


def read_timeline(client: Client, turn_id: str) -> Timeline:
    """A turn of any tenant. Raises `TurnNotFound`, `StoreUnavailable`."""
    found = cast(dict[bytes, bytes], client.hgetall(keys.TURN(turn_id))) if is_turn_id(turn_id) else {}
    record = to_record(found)
    if "status" not in record:
        raise TurnNotFound
    hinted_at, traceparent = record.get("hinted_at"), record.get("traceparent")
    return Timeline(
        turn=Turn.from_record(turn_id, record, position=1),
        lane=Lane(record.get("lane", Lane.INTERACTIVE)),
        hinted_at=int(hinted_at) if hinted_at else None,
        trace_id=traceparent.split("-")[1] if traceparent else None,
        runs=tuple(_runs(record)),
    )


def _runs(record: Mapping[str, str]) -> list[RunRecord]:
    runs = [RunRecord.from_item(item) for item in json.loads(record.get("runs", "[]"))]
    if "worker" in record:  # else the last run has ended, and is among them
        runs.append(_last_run(record))
    return runs


def _last_run(record: Mapping[str, str]) -> RunRecord:
    first_token_at, finished_at = record.get("first_token_at"), record.get("finished_at")
    return RunRecord(
        number=int(record["claims"]),
        attempt=int(record["attempt"]),
        worker=record["worker"],
        model=record["model"],
        started_at=int(record["started_at"]),
        first_token_at=int(first_token_at) if first_token_at else None,
        ended_at=int(finished_at) if finished_at else None,
        ended_by=Status(record["status"]) if finished_at else None,
        code=record.get("error_code"),
    )
