"""Events of a turn that is being streamed."""

from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeAlias

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
class Reasoning:
    """A piece of the model's reasoning, if the assistant shows it."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """A tool has started, or has ended. `arguments` and `result` are None unless the assistant shows them."""

    call_id: str
    name: str
    state: Literal["started", "finished", "failed"]
    arguments: str | None = None
    result: str | None = None


@dataclass(frozen=True, slots=True)
class DataSent:
    """A value that a custom chain has sent. `name` is None for what a graph has written to its stream."""

    name: str | None
    data: Any


@dataclass(frozen=True, slots=True)
class Reset:
    """The attempt ended without effect and another one follows: discard all that was received of it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Done(Generic[TurnT]):
    """The turn has ended. This is the last event."""

    turn: TurnT


Event: TypeAlias = StatusChanged | Delta | Reasoning | ToolCalled | DataSent | Reset | Done[TurnT]
