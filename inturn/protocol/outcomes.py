"""How a turn ended, as an error for whoever needs its answer."""

from types import MappingProxyType
from typing import TypeVar

from inturn.errors import NoAnswer, StillRunning, TurnCancelled, TurnFailed, TurnIncomplete
from inturn.values import Status, TurnData

Turn = TypeVar("Turn", bound=TurnData)

ENDS: MappingProxyType[Status, type[NoAnswer]] = MappingProxyType(
    {"failed": TurnFailed, "cancelled": TurnCancelled, "incomplete": TurnIncomplete}
)


def checked(turn: Turn) -> Turn:
    """The turn, which is completed. Raises `NoAnswer`, or `StillRunning`."""
    if turn.status == "completed":
        return turn
    raise ENDS[turn.status](turn) if turn.status in ENDS else StillRunning(turn)
