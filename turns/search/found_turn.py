"""A turn as a search finds it, live or ended, without message text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from turns.backend.client import Client
from turns.backend.record import read_turn_records
from turns.domain.assistant import Lane
from turns.domain.error_codes import Code
from turns.domain.ids import tenant_of
from turns.domain.open_enum import member_or_text
from turns.domain.state import Status

FIELDS = (
    *("session", "session_id", "user_id", "status", "status_reason", "error_code", "attempt", "losses", "lane"),
    *("assistant", "model", "worker", "accepted_at", "started_at", "first_token_at", "finished_at", "retry_at"),
    *("held_by", "paused_by", "last_error_code", "request_id", "traceparent"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTurn:
    id: str
    tenant: str
    session_id: str
    user_id: str | None
    status: Status
    status_reason: str | None
    error_code: Code | str | None
    attempt: int
    losses: int
    lane: Lane
    assistant: str
    model: str | None
    worker: str | None
    accepted_at: int
    started_at: int | None
    first_token_at: int | None
    finished_at: int | None
    retry_at: int | None
    held_by: str | None
    paused_by: str | None
    last_error_code: str | None
    request_id: str | None
    trace_id: str | None

    @classmethod
    def from_record(cls, turn_id: str, record: Mapping[str, str]) -> Self:
        def instant(name: str) -> int | None:
            return int(record[name]) if name in record else None

        code, traceparent = record.get("error_code"), record.get("traceparent")
        return cls(
            id=turn_id,
            tenant=tenant_of(record["session"]),
            session_id=record["session_id"],
            user_id=record.get("user_id") or None,
            status=Status(record["status"]),
            status_reason=record.get("status_reason"),
            error_code=member_or_text(Code, code) if code else None,
            attempt=int(record["attempt"]),
            losses=int(record.get("losses", 0)),
            lane=Lane(record.get("lane", Lane.INTERACTIVE)),
            assistant=record["assistant"],
            model=record.get("model"),
            worker=record.get("worker"),
            accepted_at=int(record["accepted_at"]),
            started_at=instant("started_at"),
            first_token_at=instant("first_token_at"),
            finished_at=instant("finished_at"),
            retry_at=instant("retry_at"),
            held_by=record.get("held_by"),
            paused_by=record.get("paused_by"),
            last_error_code=record.get("last_error_code"),
            request_id=record.get("request_id"),
            trace_id=traceparent.split("-")[1] if traceparent else None,
        )


def read_turns(client: Client, turn_ids: Sequence[str]) -> dict[str, FoundTurn]:
    """Return those of the turns that have a record, by id. Raises `StoreUnavailable`."""
    records = read_turn_records(client, turn_ids, FIELDS)
    found = zip(turn_ids, records, strict=True)
    return {turn_id: FoundTurn.from_record(turn_id, record) for turn_id, record in found if "status" in record}
