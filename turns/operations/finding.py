"""A finding about the service, and the facts from which `verdict.py` derives it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from turns.domain.wait_reason import Reason
from turns.domain.worker_kind import WorkerKind
from turns.operations.time_series import StatsPoint
from turns.operations.workers import Worker
from turns.pauses.part import PauseKind
from turns.pauses.pause import Pause
from turns.store.failing import FailingModel
from turns.store.health import Health
from turns.store.held import CrowdedGroup
from turns.store.holds import ModelHold


class Level(StrEnum):
    BAD = "bad"
    WARN = "warn"
    GOOD = "good"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding. `headline` has no numbers, so it changes only when the situation does.

    `todo` is the advice, or ""; `to` is the view of the operator page that it leads to, with its filters.
    """

    level: Level
    code: str
    headline: str
    detail: str
    todo: str = ""
    to: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFacts:
    """The facts of one moment. Waits are in seconds, 0 without a turn that waits.

    `held` has the waiting turns by reason, `waiting_kinds` those that wait for a worker by its kind. `lost_turns`
    have failed because too many workers died while they ran them. Turns wait for slots of the `crowded` groups, most
    of them for the first one. `completed_seconds` is the time since the last completed turn, or None. `workers` has
    also those that ended in the last minutes, and `web_versions` the version of each process of the endpoint. Since
    `replaced_at` (ms), these partitions are other ones than before, as far as this process knows; a store without
    partitions counts as the first one.
    """

    health: Health
    held: Mapping[Reason, int]
    waiting_kinds: Mapping[WorkerKind, int]
    holds: Sequence[ModelHold]
    oldest_waiting_seconds: float
    oldest_unanswered_seconds: float
    first_token_wait_seconds: float
    completed_seconds: float | None
    failing: Sequence[FailingModel]
    lost_turns: int
    workers: Sequence[Worker]
    running_turns: int
    recent: StatsPoint
    now: int
    crowded: Sequence[CrowdedGroup] = ()
    web_versions: Sequence[str] = ()
    replaced_at: Mapping[int, int] = field(default_factory=dict)
    pauses: Sequence[Pause] = ()

    @property
    def are_workers_paused(self) -> bool:
        return any(pause.part.kind is PauseKind.WORKERS and not pause.is_over for pause in self.pauses)

    @property
    def waiting_for_worker(self) -> int:
        return sum(
            self.held.get(reason, 0) for reason in (Reason.WORKERS_BUSY, Reason.WORKERS_PAUSED, Reason.NO_WORKER)
        )

    def seconds_since(self, at: int) -> float:
        return max(0, self.now - at) / 1000

    def seconds_until(self, at: int) -> float:
        return max(0, at - self.now) / 1000


Check = Callable[[ServiceFacts], Iterator[Finding]]
