"""A job: what an operator has confirmed, and how far it has got. All values are immutable; times are ms."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, Self

from turns.domain.open_enum import member_or_text
from turns.domain.state import Status
from turns.domain.turn_filter import TurnFilter

DEFAULT_PER_SECOND = 200  # a retry takes about a millisecond of a web process
MAX_PER_SECOND = 1000


class BulkAct(StrEnum):
    """The act of a job on each of its turns."""

    CANCEL = "cancel"  # end a live turn
    RETRY = "retry"  # submit a failed turn again
    DISCARD = "discard"  # remove a failed turn from the unresolved ones
    RESTORE = "restore"  # put a discarded turn back, which undoes a discard


class JobStatus(StrEnum):
    COLLECTING = "collecting"  # it lists the turns that match
    RUNNING = "running"
    COMPLETED = "completed"
    STOPPED = "stopped"  # by an operator, or because it did not end within a day

    @property
    def is_ended(self) -> bool:
        return self in {JobStatus.COMPLETED, JobStatus.STOPPED}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpec:
    """The confirmed part of a job: the act, and its turns by filter or, if there are any, by `turn_ids`.

    A retry leaves turns with the code `worker_lost` out unless `includes_poison`. `undo_of` is the job whose discarded
    turns are restored. `key_id` and `key_tenant` are those of the operator's API key.
    """

    act: BulkAct | str  # a text only in a job of a newer release
    filter: TurnFilter = field(default_factory=TurnFilter)
    turn_ids: tuple[str, ...] = ()
    per_second: int = DEFAULT_PER_SECOND
    includes_poison: bool = False
    reason: str = ""
    key_id: str | None = None
    key_tenant: str | None = None
    undo_of: str | None = None

    @property
    def takes_live_turns(self) -> bool:
        return self.act is BulkAct.CANCEL

    def to_json(self) -> str:
        conditions = {name: value for name, value in asdict(self.filter).items() if value is not None}
        if self.filter.statuses is not None:
            conditions["statuses"] = sorted(self.filter.statuses)
        return json.dumps({**asdict(self), "filter": conditions}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        values = json.loads(text)
        conditions = _known(TurnFilter, values["filter"])
        if "statuses" in conditions:
            conditions["statuses"] = frozenset(map(Status, conditions["statuses"]))
        given = {
            "act": member_or_text(BulkAct, values["act"]),
            "filter": TurnFilter(**conditions),
            "turn_ids": tuple(values["turn_ids"]),
        }
        return cls(**{**_known(cls, values), **given})


def _known(kind: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that are fields of the dataclass, without those of a newer release."""
    names = {each.name for each in fields(kind)}
    return {name: value for name, value in values.items() if name in names}


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How many turns of a job were processed, and with which outcome.

    `skipped`: the turn had ended, expired or been resolved otherwise. `refused`: it could not be retried and is still
    listed; `refusal` is the code of the last refusal. `left_out`: it probably ends its worker, so the job leaves it
    out. `blocked_by` is the code for which the service refuses all turns at present; the job waits. The partitions of
    `missing_partitions` were away when the turns were listed.
    """

    total: int = 0
    done: int = 0
    skipped: int = 0
    refused: int = 0
    left_out: int = 0
    missing_partitions: tuple[int, ...] = ()
    refusal: str | None = None
    blocked_by: str | None = None

    @property
    def processed(self) -> int:
        return self.done + self.skipped + self.refused

    @classmethod
    def from_record(cls, record: Mapping[str, str]) -> Self:
        return cls(
            total=int(record.get("total", 0)),
            done=int(record.get("done", 0)),
            skipped=int(record.get("skipped", 0)),
            refused=int(record.get("refused", 0)),
            left_out=int(record.get("left_out", 0)),
            missing_partitions=tuple(map(int, record.get("missing_partitions", "").split())),
            refusal=record.get("refusal") or None,
            blocked_by=record.get("blocked_by") or None,
        )

    def to_record(self) -> dict[str, str | int]:
        values = {**asdict(self), "missing_partitions": " ".join(map(str, self.missing_partitions))}
        return {name: "" if value is None else value for name, value in values.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job at one moment. `before` is the last time at which a turn of it may have been accepted, or have failed.

    `token` fences the writes of the present step.
    """

    id: str
    spec: JobSpec
    status: JobStatus | str
    is_stopping: bool
    progress: Progress
    before: int
    created_at: int
    finished_at: int | None
    token: str = ""

    @property
    def is_ended(self) -> bool:
        return self.finished_at is not None

    @property
    def can_undo(self) -> bool:
        """Return whether it may have discarded turns; the last step of a stopped one may be uncounted."""
        has_discarded = self.progress.done > 0 or self.status == JobStatus.STOPPED
        return self.is_ended and self.spec.act is BulkAct.DISCARD and has_discarded

    @classmethod
    def from_record(cls, job_id: str, record: Mapping[str, Any]) -> Self:
        return cls(
            id=job_id,
            spec=JobSpec.from_json(record["spec"]),
            status=member_or_text(JobStatus, record["status"]),
            is_stopping="is_stopping" in record,
            progress=Progress.from_record(record),
            before=int(record["before"]),
            created_at=int(record["created_at"]),
            finished_at=int(record["finished_at"]) if "finished_at" in record else None,
            token=record.get("token", ""),
        )
