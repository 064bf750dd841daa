"""How an ended turn maps to an error."""

from types import MappingProxyType

from inturn.errors import NoAnswer, StillRunning, TurnCancelled, TurnFailed, TurnIncomplete
from inturn.values import Status, TurnT

ERROR_BY_STATUS: MappingProxyType[Status, type[NoAnswer]] = MappingProxyType(
    {"failed": TurnFailed, "cancelled": TurnCancelled, "incomplete": TurnIncomplete}
)


def require_completed(turn: TurnT) -> TurnT:
    """Return the turn if it is completed. Raise `NoAnswer` or `StillRunning` otherwise."""
    if turn.status == "completed":
        return turn
    raise ERROR_BY_STATUS[turn.status](turn) if turn.status in ERROR_BY_STATUS else StillRunning(turn)
