"""The responses to operators. Only `TurnText` contains message text."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AliasPath, BeforeValidator, Field

from turns.domain.assistant import Lane
from turns.domain.state import Event, Status
from turns.domain.turn import Waiting, WaitingFor
from turns.domain.wait_reason import Reason
from turns.domain.worker_kind import WorkerKind
from turns.operations.finding import Level
from turns.operations.time_series import RECENT_MINUTES
from turns.processes.record import ProcessState
from web.schemas.operator.pauses import Pause
from web.schemas.response_model import ErrorCode, Gathered, Id, Instant, Name, ResponseModel, TurnId
from web.schemas.responses import Usage
from web.schemas.service import ServiceStatus


class StatsPoint(ResponseModel):
    """The events of an interval that starts at `at`. Null if there was no event to compute a value from."""

    at: Instant
    accepted: int
    ended: Mapping[Status, int]
    expired: int = Field(description="turns that were not started in time; among the incomplete ones")
    refused: Mapping[str, int] = Field(description="submitted turns that were not accepted, by code")
    live_turns: int | None = Field(description="at the end of the interval; null while no worker was alive")
    waiting_turns: int | None = Field(description="those of them that waited for a worker")
    wait_p50_seconds: float | None
    wait_p95_seconds: float | None
    first_token_p95_seconds: float | None
    duration_p95_seconds: float | None
    error_share: float | None = Field(description="share of failed and expired turns in these and the completed ones")


class Finding(ResponseModel):
    """One part of the verdict: what is wrong and what to do, or that all is good."""

    level: Level
    code: str = Field(description="stable; names the kind of finding")
    headline: str = Field(description="without numbers")
    detail: str
    todo: str = Field(description="advice, or empty")
    to: Mapping[str, str] = Field(description="the view of the operator page for the advice, with its filters")


def _of_process(name: str, **options: Any) -> Any:
    """Fill a field from this attribute of the process of a worker."""
    return Field(validation_alias=AliasPath("process", name), **options)


class Worker(ResponseModel):
    """A worker process; it is listed until 15 minutes after its end, or after its last heartbeat."""

    name: str
    kind: WorkerKind
    state: ProcessState = Field(description="`dead`: it ended without being asked to; `silent`: it sends no heartbeats")
    host: str = _of_process("host", description="empty for a worker of an earlier release, like the version")
    version: str = _of_process("version")
    model: str = Field(description="its default model, and the provider")
    started_at: Instant | None = _of_process("started_at")
    ended_at: Instant | None = _of_process("ended_at")
    slots: int | None = _of_process("slots", description="turns that it can run at once")
    memory_bytes: int | None = _of_process("memory_bytes", description="resident memory; null where it is unknown")
    is_alive: bool
    beat_at: Instant = Field(description="its last heartbeat")
    silent_seconds: float = Field(description="time since then")
    is_draining: bool
    running_turns: tuple[TurnId, ...] = Field(validation_alias="running")


class WebProcess(ResponseModel):
    """A process of the endpoint."""

    name: str = _of_process("name")
    state: ProcessState
    host: str = _of_process("host")
    version: str = _of_process("version")
    started_at: Instant | None = _of_process("started_at")
    seen_at: Instant = _of_process("seen_at", description="its last report; one is due every 10 seconds")
    memory_bytes: int | None = _of_process("memory_bytes")


class Processes(ResponseModel):
    object: Literal["list"] = "list"
    data: tuple[Worker, ...]
    web_processes: tuple[WebProcess, ...]


class Stats(ServiceStatus, Gathered):
    """All numbers of the page `/operator`."""

    version: str
    store_refusal: str | None = Field(description="why the store refuses writes; null if it takes them")
    may_act: bool = Field(description="whether the caller's key allows actions")
    pauses: tuple[Pause, ...]
    may_manage_keys: bool = Field(description="whether it allows to list and change API keys")
    findings: tuple[Finding, ...] = Field(description="the most severe first; at least one")
    running_turns: int
    held_turns: Mapping[Reason, int] = Field(description="live turns that do not run, by reason")
    oldest_unanswered_seconds: float = Field(description="wait of the first turn of a session for its answer to begin")
    recent: StatsPoint = Field(description=f"the last {RECENT_MINUTES} minutes")
    failed_by_code: Mapping[str, int]
    workers: tuple[Worker, ...]
    minutes: int
    step_minutes: int
    series: tuple[StatsPoint, ...] = Field(description="the last interval is still running")


class TurnSummary(ResponseModel):
    """A live or ended turn without message text. Some values are null in lists of live turns only."""

    id: TurnId
    object: Literal["turn_summary"] = "turn_summary"
    tenant: str
    session_id: Id
    user_id: Id | None
    status: Status
    status_reason: str | None = None
    code: ErrorCode | None = Field(None, validation_alias="error_code")
    attempt: int
    losses: int = Field(description="workers that died while they ran it")
    lane: Lane
    assistant: Name | None
    model: str | None
    worker: str | None
    last_error_code: str | None
    request_id: str | None = Field(None, description="`X-Request-Id` of its submission")
    trace_id: str | None = None
    accepted_at: Instant
    started_at: Instant | None
    first_token_at: Instant | None
    silent_since: Instant | None = Field(None, description="the time of its last text, if that is long ago")
    finished_at: Instant | None = None
    retry_at: Instant | None
    held_by: str | None = Field(description="`name` of the hold for which it waits")
    paused_by: str | None = Field(None, description="part that an operator has paused, for which it waits")
    behind: int | None = Field(None, description="other turns of its session that wait for it")


class Run(ResponseModel):
    """The outcome of one claim of the turn."""

    number: int
    attempt: int
    worker: str
    model: str
    started_at: Instant
    first_token_at: Instant | None
    ended_at: Instant | None
    ended_by: Literal[Event.RETRY, Event.RESCUE, Event.RELEASE] | Status | None
    code: str | None
    provider_request_id: str | None = Field(description="the provider's id of its last request")


class Wait(ResponseModel):
    """A time for which the turn waited, or for which its run sent no text in the middle of the answer (`silent`)."""

    reason: Reason | str = Field(description="a reason for waiting, or `silent`; a later release may add reasons")
    since: Instant
    until: Instant | None = Field(description="null while that lasts; the time of a retry may be in the future")
    what: str = Field(description="what it waited for: a hold, a group, a code, a worker; or empty")


def _of_turn(name: str) -> Any:
    """Fill a field from this attribute of the timeline's turn."""
    return Field(validation_alias=AliasPath("turn", name))


def _is_paused(waiting: Waiting | None) -> bool:
    return waiting is not None and waiting.waiting_for is WaitingFor.PAUSE


class Timeline(ResponseModel):
    """The timestamps, the last runs and the last waits of a turn, in order."""

    id: TurnId = _of_turn("id")
    object: Literal["timeline"] = "timeline"
    tenant: str = _of_turn("tenant")
    key_id: str | None = _of_turn("key_id")
    session_id: Id = _of_turn("session_id")
    user_id: Id | None = _of_turn("user_id")
    sequence: int = _of_turn("sequence")
    status: Status = _of_turn("status")
    status_reason: str | None = _of_turn("status_reason")
    code: ErrorCode | None = _of_turn("error_code")
    message: str | None = _of_turn("error_message")
    attempt: int = _of_turn("attempt")
    losses: int = _of_turn("losses")
    lane: Lane = _of_turn("lane")
    assistant: Name = _of_turn("assistant")
    usage: Usage | None = _of_turn("usage")
    retry_of: TurnId | None = _of_turn("retry_of")
    regenerates: TurnId | None = _of_turn("regenerates")
    superseded_by: TurnId | None = _of_turn("superseded_by")
    request_id: str | None = Field(description="`X-Request-Id` of its submission")
    trace_id: str | None
    accepted_at: Instant = _of_turn("accepted_at")
    hinted_at: Instant | None = Field(description="when a worker was last notified of it")
    retry_at: Annotated[Instant | None, BeforeValidator(lambda waiting: waiting and waiting.retry_at)] = _of_turn(
        "waiting"
    )
    is_paused: Annotated[bool, BeforeValidator(_is_paused)] = _of_turn("waiting")
    finished_at: Instant | None = _of_turn("finished_at")
    expires_at: Instant | None = _of_turn("expires_at")
    runs: tuple[Run, ...]
    waits: tuple[Wait, ...] = Field(description="the last ones; without one, it waited for a worker")


class TurnText(ResponseModel):
    id: TurnId
    input: str
    output: str | None


class WaitReason(ResponseModel):
    reason: Reason
    message: str
    until: Instant | None


class SessionQueue(ResponseModel):
    object: Literal["session_queue"] = "session_queue"
    turns: tuple[TurnSummary, ...] = Field(description="in the order in which they will run")
    why: tuple[WaitReason, ...]
    last: tuple[TurnSummary, ...] = Field(description="the last turns, live and ended, newest first")


class BulkResult(ResponseModel):
    done: int = Field(description="number of turns")


class FailedTurn(ResponseModel):
    """A failed turn as operators see it: its owner and the reason, without message text."""

    id: TurnId
    object: Literal["failed_turn"] = "failed_turn"
    tenant: str
    session_id: Id
    user_id: Id | None
    code: ErrorCode = Field(validation_alias="error_code")
    message: str = Field(validation_alias="error_message")
    attempts: int = Field(validation_alias="attempt")
    losses: int = Field(description="workers that died while they ran it")
    model: str | None
    accepted_at: Instant
    failed_at: Instant = Field(validation_alias="finished_at")
