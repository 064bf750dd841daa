"""A turn and a hold of the reference model."""

from collections import Counter
from dataclasses import dataclass, field

from tests.support.reference.slots import ALL, LOST, TENANT
from turns.domain.state import Status


@dataclass
class ReferenceTurn:
    session: str
    model: str
    accepted_at: int
    status: Status = Status.QUEUED
    attempt: int = 1
    losses: int = 0
    is_delayed: bool = False  # until the time of its next attempt
    waits_since: int | None = None  # for a worker or a slot
    held_by: str | None = None
    held_at: int | None = None
    admitted_by: str | None = None
    paused_by: str | None = None
    is_resumed: bool = False  # it waited for a pause, and has not run since then
    worker: str = ""
    token: str | None = None  # the fencing token that may write
    retried_token: str | None = None
    superseded: bool = False
    stands_alone: bool = False  # it brings its own past, and leaves nothing in the history
    replaces: str | None = None  # the turn whose place in the history it takes when it commits
    erased: bool = False
    deleted: bool = False  # its deletion can be repeated
    is_discarded: bool = False

    @property
    def groups(self) -> list[str]:
        return [TENANT, *([LOST] if self.losses else []), ALL, f"loop/model:{self.model}"]

    @property
    def parts(self) -> list[str]:
        return ["workers", f"assistant/{self.model}", f"model/{self.model}"]


@dataclass
class ReferencePause:
    is_over: bool = False
    batch: int = 1  # turns of the next batch


@dataclass
class ReferenceUsage:
    """The expected sums of usage."""

    outcomes: Counter[Status] = field(default_factory=Counter)
    repeated_runs: int = 0
    unreported_calls: int = 0


@dataclass
class ReferenceHold:
    is_over: bool = False  # its time has passed
    is_answered: bool = False
    step: int = 1
    probe: str | None = None
