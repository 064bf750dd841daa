"""The time after which a caller should poll again, computed from the state of the queue."""

import math

from turns.domain.turn import Turn

MIN_SECONDS = 1
MAX_SECONDS = 30


def retry_after_seconds(turn: Turn, *, now_ms: float) -> int:
    """Return seconds until the turn's retry is due, or for which it and the turns before it will run."""
    waiting = turn.waiting
    if waiting is None:
        return MIN_SECONDS
    expected_ms = waiting.retry_at - now_ms if waiting.retry_at else waiting.position * waiting.pace_ms
    return min(MAX_SECONDS, max(MIN_SECONDS, math.ceil(expected_ms / 1000)))
