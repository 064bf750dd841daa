"""What operators are answered, as pydantic models; as `schema.py` has the others. No message text but in `TurnText`."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from turns.domain.assistant import Lane
from turns.domain.error_codes import Code
from turns.domain.state import Event, Status
from turns.operations.time_series import RECENT_MINUTES
from turns.operations.wait_diagnosis import Reason
from web.schemas.responses import Answered, Instant, Name, Problem, ServiceStatus, TurnId, Usage


class StatsPoint(Answered):
    """What happened in some time, which begins `at`. Null where nothing of the kind happened."""

    at: Instant
    accepted: int
    ended: Mapping[Status, int]
    wait_p50_seconds: float | None
    wait_p95_seconds: float | None
    first_token_p95_seconds: float | None
    duration_p95_seconds: float | None
    error_share: float | None = Field(description="failed ones among those that completed or failed")


class Worker(Answered):
    """A living worker process."""

    name: str
    is_draining: bool
    running_turns: tuple[TurnId, ...]


class Stats(ServiceStatus):
    """Every number of the page `/operator`."""

    version: str
    may_act: bool = Field(description="whether the caller's key may do more than look")
    running_turns: int = Field(description="of living workers")
    recent: StatsPoint = Field(description=f"the last {RECENT_MINUTES} minutes")
    failed_by_code: Mapping[Code, int]
    workers: tuple[Worker, ...]
    minutes: int
    step_minutes: int
    series: tuple[StatsPoint, ...] = Field(description="the last one is not over yet")


class LiveTurn(Answered):
    id: TurnId
    object: Literal["live_turn"] = "live_turn"
    tenant: str
    session_id: Name
    user_id: Name | None
    status: Status
    attempt: int
    lane: Lane
    model: str | None
    worker: str | None
    last_error_code: str | None
    accepted_at: Instant
    started_at: Instant | None
    first_token_at: Instant | None
    retry_at: Instant | None
    behind: int = Field(description="other turns of its session that wait for it")


class LiveTurns(Answered):
    object: Literal["list"] = "list"
    data: tuple[LiveTurn, ...]
    found: int
    are_all: bool = Field(description="false: there are more than one call looks at, and `found` is of those")


class Run(Answered):
    """What became of one claim of the turn."""

    number: int
    attempt: int
    worker: str
    model: str
    started_at: Instant
    first_token_at: Instant | None
    ended_at: Instant | None
    ended_by: Literal[Event.RETRY, Event.RESCUE, Event.RELEASE] | Status | None
    code: str | None


class Timeline(Answered):
    """When what happened to a turn. `runs`: the last ones, in order."""

    id: TurnId
    object: Literal["timeline"] = "timeline"
    tenant: str
    session_id: Name
    user_id: Name | None
    sequence: int
    status: Status
    status_reason: str | None
    code: Code | None
    attempt: int
    lane: Lane
    assistant: Name
    usage: Usage | None
    retry_of: TurnId | None
    trace_id: str | None
    accepted_at: Instant
    hinted_at: Instant | None = Field(description="when a worker was last told of it")
    retry_at: Instant | None
    finished_at: Instant | None
    expires_at: Instant | None
    runs: tuple[Run, ...]


class TurnText(Answered):
    id: TurnId
    input: str
    output: str | None


class WaitReason(Answered):
    reason: Reason
    message: str
    until: Instant | None


class SessionQueue(Answered):
    object: Literal["session_queue"] = "session_queue"
    turns: tuple[LiveTurn, ...] = Field(description="in the order in which they will run")
    why: tuple[WaitReason, ...]


class BulkResult(Answered):
    done: int
    refused: Problem | None = Field(description="why not all of them: the first refusal")
