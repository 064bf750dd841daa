"""Wait for the end of a turn, for a surface whose response is the answer."""

import time

from turns.domain.turn import Turn
from web.schemas.queries import MAX_WAIT_SECONDS
from web.streaming.long_poll import LongPolls


def wait_for_end(long_polls: LongPolls, turn: Turn, *, deadline: float) -> Turn:
    """Return the turn when it has ended, or as it is at the deadline of the monotonic clock.

    A process that drains, or in which too many wait, answers at once; asking it again would only load the store.
    """
    has_waited = True
    while has_waited and not turn.status.is_terminal and (left := deadline - time.monotonic()) > 0:
        began_at, seconds = time.monotonic(), min(left, MAX_WAIT_SECONDS)
        turn = long_polls.wait_for_turn(turn.id, tenant=turn.tenant, wait_seconds=seconds)
        has_waited = time.monotonic() - began_at >= seconds
    return turn
