"""The record of a turn. Instants are milliseconds since the epoch on the store's clock."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from turns.domain.assistant import Lane
from turns.domain.content.parts import Part, from_json
from turns.domain.error_codes import Code, error_message
from turns.domain.ids import forked_session_id, session_key, tenant_of
from turns.domain.messages import Message, parse_lines, parse_numbers
from turns.domain.open_enum import member_or_text
from turns.domain.run.spending import Usage
from turns.domain.state import Status


class WaitingFor(StrEnum):
    """Reason why a queued turn has not started."""

    TURN = "turn"  # the turn before it in its session
    WORKER = "worker"  # a free worker
    RETRY = "retry"  # the time of its next attempt
    PAUSE = "pause"  # the end of a pause by an operator


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Why a queued turn has not started.

    `position` is its position among the live turns of its session, from 1. `pace_ms` is the recent duration of a turn.
    """

    position: int
    waiting_for: WaitingFor
    pace_ms: int
    turn_id: str | None = None
    retry_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The record of a turn at one moment."""

    id: str
    tenant: str
    session_id: str
    user_id: str | None
    sequence: int
    status: Status
    status_reason: str | None
    attempt: int  # counts what the turn did itself
    losses: int  # workers that died while they ran it, which may have had any cause
    claims: int
    lane: Lane
    assistant: str
    model: str | None
    input: str
    output: str | None
    data: Any  # the JSON value that a custom chain returned
    output_parts: list[dict[str, Any]] | None  # None for text alone
    usage: Usage | None
    error_code: Code | str | None
    provider_status: int | None
    waiting: Waiting | None
    retry_of: str | None
    regenerates: str | None
    superseded_by: str | None  # the turn that has replaced its messages in the history
    forked_from: str | None  # the id of the session from which its session was forked with this turn
    message_numbers: range | None  # of its messages, while they are in the history
    key_id: str | None
    response_format: str | None
    variables: Mapping[str, str]
    metadata: Mapping[str, str]
    accepted_at: int
    started_at: int | None
    finished_at: int | None
    expires_at: int | None
    text_end: int | None = None  # length of the output, if the event stream was folded into the record
    earlier_runs: str = "[]"  # the stored list of the runs before the last one
    parts: tuple[Part, ...] = ()
    stored_past: str | None = None  # the messages before the question of a turn that stands alone
    instructions: str | None = None

    @property
    def stands_alone(self) -> bool:
        return self.stored_past is not None

    @property
    def past(self) -> tuple[Message, ...] | None:
        """The messages before the question of a turn that stands alone; None for any other turn."""
        return None if self.stored_past is None else parse_lines(self.stored_past)

    @property
    def answer(self) -> dict[str, Any] | None:
        return None if self.output is None else {"content": self.output, "data": self.data, "parts": self.output_parts}

    @property
    def failure(self) -> dict[str, str | None] | None:
        return None if self.error_code is None else {"code": self.error_code, "message": self.error_message}

    @property
    def error_message(self) -> str | None:
        if self.error_code is None:
            return None
        return error_message(self.error_code, model=self.model, provider_status=self.provider_status)

    @property
    def session(self) -> str:
        return session_key(self.session_id, self.user_id, self.tenant)

    @classmethod
    def from_record(
        cls, turn_id: str, record: Mapping[str, str], *, position: int = 0, ahead: str = "", pace_ms: int = 0
    ) -> Self:
        """Build a turn from its stored record; the keyword arguments describe the wait of a queued turn."""

        def optional_int(name: str) -> int | None:
            return int(record[name]) if name in record else None

        status = Status(record["status"])
        usage = record.get("usage")
        code = record.get("error_code")
        return cls(
            id=turn_id,
            tenant=tenant_of(record["session"]),
            session_id=record["session_id"],
            user_id=record.get("user_id") or None,
            sequence=int(record["sequence"]),
            status=status,
            status_reason=record.get("status_reason"),
            attempt=int(record["attempt"]),
            losses=int(record.get("losses", 0)),
            claims=int(record["claims"]),
            lane=Lane(record.get("lane", Lane.INTERACTIVE)),
            assistant=record["assistant"],
            model=record.get("model"),
            input=record["input"],
            output=record.get("output"),
            data=json.loads(record.get("output_data", "null")),
            output_parts=json.loads(record["output_parts"]) if "output_parts" in record else None,
            usage=Usage.from_stored(usage) if usage else None,
            error_code=member_or_text(Code, code) if code else None,
            provider_status=optional_int("provider_status"),
            waiting=_waiting(record, position, ahead, pace_ms) if status is Status.QUEUED else None,
            retry_of=record.get("retry_of"),
            regenerates=record.get("regenerates"),
            superseded_by=record.get("superseded_by"),
            forked_from=forked_session_id(record.get("forked_from")),
            message_numbers=parse_numbers(record["messages"]) if "messages" in record else None,
            key_id=record.get("key_id"),
            response_format=record.get("response_format"),
            variables=json.loads(record["variables"]),
            metadata=json.loads(record.get("metadata", "{}")),
            accepted_at=int(record["accepted_at"]),
            started_at=optional_int("started_at"),
            finished_at=optional_int("finished_at"),
            expires_at=optional_int("expires_at"),
            text_end=optional_int("text_end"),
            earlier_runs=record.get("runs", "[]"),
            parts=from_json(record["parts"]) if "parts" in record else (),
            stored_past=record.get("past", "") if "standalone" in record else None,
            instructions=record.get("instructions"),
        )


def _waiting(record: Mapping[str, str], position: int, ahead: str, pace_ms: int) -> Waiting:
    if ahead:
        return Waiting(position=position, waiting_for=WaitingFor.TURN, turn_id=ahead, pace_ms=pace_ms)
    if "paused_by" in record:  # its name and the operator's reason are not for callers
        return Waiting(position=position, waiting_for=WaitingFor.PAUSE, pace_ms=pace_ms)
    if "retry_at" in record:
        retry_at = int(record["retry_at"])
        return Waiting(position=position, waiting_for=WaitingFor.RETRY, retry_at=retry_at, pace_ms=pace_ms)
    return Waiting(position=position, waiting_for=WaitingFor.WORKER, pace_ms=pace_ms)
