"""What an endpoint process does once a turn has been accepted."""

from turns.config.logs import Log, get_logger
from turns.domain.turn import Turn
from turns.store.acceptance import Accepted
from web.streaming.long_poll import LongPolls


def register_accepted(accepted: Accepted, long_polls: LongPolls) -> Turn:
    """Log the turn, let long polls know it if it is new, and return it."""
    turn = accepted.turn
    get_logger().info(Log.TURN_ACCEPTED, turn_id=turn.id, replayed=accepted.replayed)
    if not accepted.replayed:
        long_polls.remember_accepted(turn)
    return turn
