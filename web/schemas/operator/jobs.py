"""Requests and responses about jobs and failed turns: which turns, what with them, and how far a job has got."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field

from turns.domain.ids import NAME, TURN_ID
from turns.domain.state import Status
from turns.jobs.job import DEFAULT_PER_SECOND, MAX_PER_SECOND, BulkAct, Job, JobStatus
from turns.jobs.selection import Preview
from web.schemas.field_types import GivenInstant, text_rules
from web.schemas.operator.conditions import Conditions
from web.schemas.queries import Limit, Query
from web.schemas.requests import TurnId
from web.schemas.response_model import Gathered, Instant, ResponseModel

MAX_TURN_IDS = 1000
FAILED_CURSOR = rf"^[0-9]{{1,16}}\.{NAME.pattern}/{TURN_ID.pattern}$"
JOB_ID = r"[A-Za-z0-9._~-]{8,64}"
Act = Literal["cancel", "retry", "discard"]
MAX_REASON_BYTES = 200
Reason = Annotated[str, *text_rules(max_bytes=MAX_REASON_BYTES)]
IncludePoison = Annotated[
    bool, Field(description="retry also turns with the code `worker_lost`, which probably end their workers")
]


class FailedQuery(Query, Conditions):
    after: Annotated[str, Field(pattern=FAILED_CURSOR)] | None = None
    limit: Limit = 20


class JobConditions(Conditions):
    act: Act
    status: Literal["queued", "in_progress"] | None = Field(None, description="only with `cancel`")
    include_poison: IncludePoison = False


class PreviewQuery(Query, JobConditions):
    """An act and its conditions."""


class JobBody(JobConditions):
    """The body of `PUT /operator/jobs/{job_id}`."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"act": "retry", "code": "provider_error", "tenant": "acme"}]},
    )

    all: bool = Field(False, description="required if there is neither a condition nor `turn_ids`")
    turn_ids: list[TurnId] = Field(default_factory=list, max_length=MAX_TURN_IDS, description="only these turns")
    before: GivenInstant | None = Field(
        None, description="leave out turns that were accepted, or have failed, after this time; default: now"
    )
    per_second: Annotated[int, Field(ge=1, le=MAX_PER_SECOND, description="turns per second")] = DEFAULT_PER_SECOND
    reason: Reason = ""


class JobPreview(Gathered):
    """The turns that a job would touch if it were confirmed now."""

    object: Literal["job_preview"] = "job_preview"
    act: Act
    before: Instant = Field(description="pass it with the job, so that later turns are left out")
    count: int
    left_out: int = Field(description="turns that a retry leaves out, because they probably end their workers")
    by_code: Mapping[str, int] = Field(description="number of turns by error code, or by status for live ones")
    by_tenant: Mapping[str, int]
    turn_ids: tuple[TurnId, ...] = Field(description="the first ones, in the order of the act")
    is_complete: bool = Field(description="false: there are more turns than a preview reads")

    @classmethod
    def of(cls, act: Act, preview: Preview) -> Self:
        return cls(act=act, **{name: getattr(preview, name) for name in Preview.__dataclass_fields__})


class JobFilter(ResponseModel):
    """The conditions of a job; null means any value."""

    tenant: str | None
    user_id: str | None
    session_id: str | None
    assistant: str | None
    model: str | None
    statuses: tuple[Status, ...] | None
    code: str | None
    accepted_after: Instant | None
    accepted_before: Instant | None


class JobState(ResponseModel):
    """A job and its progress."""

    id: str
    object: Literal["job"] = "job"
    act: BulkAct | str
    status: JobStatus | str
    is_stopping: bool = Field(description="it ends after its present step")
    filter: JobFilter
    named_turns: int = Field(description="number of turns that were given by id; 0: those that match the filter")
    before: Instant = Field(description="later turns are left out")
    per_second: int
    include_poison: bool
    reason: str
    key_id: str | None = Field(description="API key that confirmed it")
    total: int
    done: int
    skipped: int = Field(description="turns that had ended, expired or been resolved otherwise")
    refused: int = Field(description="turns that could not be retried; they are still listed")
    left_out: int = Field(description="turns that probably end their workers; they are still listed")
    missing_partitions: tuple[int, ...] = Field(
        description="partitions of a Redis Cluster that were away when it listed its turns; theirs are left out"
    )
    refusal: str | None = Field(description="code of the last refusal")
    blocked_by: str | None = Field(description="code for which the service refuses all turns now; the job waits")
    can_undo: bool
    undo_of: str | None = Field(description="job whose discarded turns it puts back")
    created_at: Instant
    finished_at: Instant | None

    @classmethod
    def of(cls, job: Job) -> Self:
        spec, progress = job.spec, job.progress
        return cls(
            id=job.id,
            act=spec.act,
            status=job.status,
            is_stopping=job.is_stopping and not job.is_ended,
            filter=JobFilter.model_validate(spec.filter),
            named_turns=len(spec.turn_ids),
            before=job.before,
            per_second=spec.per_second,
            include_poison=spec.includes_poison,
            reason=spec.reason,
            key_id=spec.key_id,
            total=progress.total,
            done=progress.done,
            skipped=progress.skipped,
            refused=progress.refused,
            left_out=progress.left_out,
            missing_partitions=progress.missing_partitions,
            refusal=progress.refusal,
            blocked_by=progress.blocked_by,
            can_undo=job.can_undo,
            undo_of=spec.undo_of,
            created_at=job.created_at,
            finished_at=job.finished_at,
        )


class Jobs(ResponseModel):
    """The jobs of about the last day, newest first."""

    object: Literal["list"] = "list"
    data: tuple[JobState, ...]


class UndoQuery(Query):
    reason: Reason = ""
