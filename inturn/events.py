"""What happens to a turn while it is watched."""

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from inturn.values import Queue, Status, TurnData

Turn = TypeVar("Turn", bound=TurnData)


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """The turn has another status, or another place in its session."""

    status: Status
    queue: Queue | None


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of the answer. All since the last `Reset`, put together, are the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Reset:
    """The run has ended without effect, and another will follow: drop the text so far."""

    reason: str


@dataclass(frozen=True, slots=True)
class Done(Generic[Turn]):
    """The turn has ended. Nothing follows."""

    turn: Turn


Event: TypeAlias = StatusChanged | Delta | Reset | Done[Turn]
