"""The values of the domain: what is asked for, what is recorded, what a worker is given, what it gives back.

All are frozen and made whole. Instants are milliseconds since the epoch on the store's clock.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from turns.domain.assistant import DEFAULT, Assistant, Lane
from turns.domain.error_codes import Code
from turns.domain.ids import DEFAULT_TENANT, session_key, tenant_of
from turns.domain.state import Status

SHOWN = (  # what `Turn.from_record` looks at where a turn has ended
    "session",
    "session_id",
    "user_id",
    "sequence",
    "status",
    "status_reason",
    "attempt",
    "claims",
    "lane",
    "assistant",
    "model",
    "input",
    "output",
    "usage",
    "error_code",
    "retry_of",
    "variables",
    "metadata",
    "accepted_at",
    "started_at",
    "finished_at",
    "expires_at",
)
FIRST_DELTA = 1  # a claim emits one event before the first piece of text: `status`


class OnBusy(StrEnum):
    """What a new turn does when its session has a live one."""

    ENQUEUE = "enqueue"  # it waits
    REJECT = "reject"  # it is refused
    INTERRUPT = "interrupt"  # the running one ends with what it has said so far; those that wait are cancelled
    ROLLBACK = "rollback"  # all live ones are cancelled and leave no trace


class WaitingFor(StrEnum):
    TURN = "turn"  # the one before it in its session
    WORKER = "worker"
    RETRY = "retry"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRequest:
    """A turn that a caller asks for; every field is already valid.

    `assistant` is the version to accept it under. `variables` are those given, `lane` the one named, if it was.
    """

    session_id: str
    input: str
    user_id: str | None = None
    tenant: str = DEFAULT_TENANT
    assistant: Assistant = DEFAULT
    variables: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    on_busy: OnBusy = OnBusy.ENQUEUE
    lane: Lane | None = None
    start_within_seconds: float | None = None
    idempotency_key: str | None = None
    retry_of: str | None = None
    traceparent: str | None = None

    @property
    def session(self) -> str:
        return session_key(self.session_id, self.user_id, self.tenant)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens, as the provider counted them."""

    input_tokens: int
    output_tokens: int
    total_tokens: int

    def __add__(self, more: "Usage") -> "Usage":
        return Usage(
            input_tokens=self.input_tokens + more.input_tokens,
            output_tokens=self.output_tokens + more.output_tokens,
            total_tokens=self.total_tokens + more.total_tokens,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Why a queued turn has not started. `position` is its place among its session's live turns, from 1.

    `pace_ms` is how long turns take lately.
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
    attempt: int
    claims: int
    lane: Lane
    assistant: str
    model: str | None
    input: str
    output: str | None
    usage: Usage | None
    error_code: Code | None
    waiting: Waiting | None
    retry_of: str | None
    variables: Mapping[str, str]
    metadata: Mapping[str, str]
    accepted_at: int
    started_at: int | None
    finished_at: int | None
    expires_at: int | None

    @property
    def session(self) -> str:
        return session_key(self.session_id, self.user_id, self.tenant)

    @classmethod
    def from_record(
        cls, turn_id: str, record: Mapping[str, str], *, position: int = 0, ahead: str = "", pace_ms: int = 0
    ) -> Self:
        """The last three are for a turn that waits."""

        def instant(name: str) -> int | None:
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
            claims=int(record["claims"]),
            lane=Lane(record.get("lane", Lane.INTERACTIVE)),
            assistant=record["assistant"],
            model=record.get("model"),
            input=record["input"],
            output=record.get("output"),
            usage=Usage(**json.loads(usage)) if usage else None,
            error_code=Code(code) if code else None,
            waiting=_waiting(position, ahead, instant("retry_at"), pace_ms) if status is Status.QUEUED else None,
            retry_of=record.get("retry_of"),
            variables=json.loads(record["variables"]),
            metadata=json.loads(record.get("metadata", "{}")),
            accepted_at=int(record["accepted_at"]),
            started_at=instant("started_at"),
            finished_at=instant("finished_at"),
            expires_at=instant("expires_at"),
        )


def _waiting(position: int, ahead: str, retry_at: int | None, pace_ms: int) -> Waiting:
    if ahead:
        return Waiting(position=position, waiting_for=WaitingFor.TURN, turn_id=ahead, pace_ms=pace_ms)
    if retry_at is not None:
        return Waiting(position=position, waiting_for=WaitingFor.RETRY, retry_at=retry_at, pace_ms=pace_ms)
    return Waiting(position=position, waiting_for=WaitingFor.WORKER, pace_ms=pace_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session at one moment. `running` and `queued` are turn ids; instants as elsewhere."""

    session_id: str
    user_id: str | None
    running: str | None
    queued: tuple[str, ...]
    message_count: int
    active_at: int | None

    @property
    def is_busy(self) -> bool:
        return bool(self.running or self.queued)


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of an answer on its way to the turn's event stream; the token fences it, the entry id makes it one."""

    turn_id: str
    token: str
    entry_id: str
    text: str


@dataclass(frozen=True, slots=True)
class FileVersion:
    """Where a history is a file: how many of its messages are committed, and which version of it has them."""

    count: int
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One worker's right to run one attempt of a turn, and all that it needs to do so.

    `token` fences every later write. `number` counts the claims of this turn and begins the ids of its
    events. `messages` are the stored messages that the attempt sees, oldest first, each as JSON. `superseded`: a
    newer turn does not want to wait, so what was said before is all that will be said.
    """

    turn_id: str
    token: str
    number: int
    attempt: int
    session: str
    assistant: Assistant
    input: str
    variables: Mapping[str, str]
    model: str
    waited_ms: int
    superseded: bool
    traceparent: str | None
    messages: tuple[bytes, ...]
    filed: FileVersion | None = None

    def piece(self, n: int, text: str) -> Delta:
        """The n-th piece of the answer, from 0."""
        return Delta(self.turn_id, self.token, f"{self.number}-{FIRST_DELTA + n}", text)

    @classmethod
    def from_record(
        cls, turn_id: str, token: str, record: Mapping[str, str], messages: tuple[bytes, ...], definition: str
    ) -> Self:
        return cls(
            turn_id=turn_id,
            token=token,
            number=int(record["claims"]),
            attempt=int(record["attempt"]),
            session=record["session"],
            assistant=Assistant.from_definition(definition) if definition else DEFAULT,
            input=record["input"],
            variables=json.loads(record["variables"]),
            model=record["model"],
            waited_ms=int(record["started_at"]) - int(record["accepted_at"]),
            superseded="superseded" in record,
            traceparent=record.get("traceparent"),
            messages=messages,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an attempt staged: its messages as they will be stored, and the answer as callers read it.

    `between_messages` came between the question and the answer: tool calls and their results, where those are kept.
    `status_reason` is "length" when the model stopped at its limit: such an answer is kept, and can be continued.
    """

    question_message: str
    answer_message: str
    output: str
    model: str
    usage: Usage | None
    status_reason: str | None = None
    between_messages: tuple[str, ...] = ()
