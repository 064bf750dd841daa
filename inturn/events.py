"""Events of a turn that is being streamed."""

from dataclasses import dataclass
from typing import Generic, TypeAlias

from inturn.values import Queue, Status, TurnT


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """The turn has a new status or a new position in its session's queue."""

    status: Status
    queue: Queue | None


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of the answer. All deltas since the last `Reset`, joined, are the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Reset:
    """The attempt ended without effect and another one follows: discard the received text."""

    reason: str


@dataclass(frozen=True, slots=True)
class Done(Generic[TurnT]):
    """The turn has ended. This is the last event."""

    turn: TurnT


Event: TypeAlias = StatusChanged | Delta | Reset | Done[TurnT]
