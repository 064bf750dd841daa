"""Wait for the end of a turn, for a surface whose response is the answer."""

import time

from turns.domain.turn import Turn
from web.schemas.requests import MAX_WAIT_SECONDS
from web.streaming.long_poll import LongPolls


def wait_for_end(long_polls: LongPolls, turn: Turn, *, deadline: float) -> Turn:
    """Return the turn when it has ended, or as it is at the deadline of the monotonic clock."""
    while not turn.status.is_terminal and (left := deadline - time.monotonic()) > 0:
        turn = long_polls.wait_for_turn(turn.id, tenant=turn.tenant, wait_seconds=min(left, MAX_WAIT_SECONDS))
    return turn
