"""When a caller should ask again: computed, so that nobody guesses, and nobody asks in a herd."""

import math

from turns.domain.turn import Turn

MIN_SECONDS = 1
MAX_SECONDS = 30


def retry_after_seconds(turn: Turn, *, now_ms: float) -> int:
    """For a live turn: until its retry is due, or as long as the turns up to it take lately."""
    waiting = turn.waiting
    if waiting is None:
        return MIN_SECONDS
    expected_ms = waiting.retry_at - now_ms if waiting.retry_at else waiting.position * waiting.pace_ms
    return min(MAX_SECONDS, max(MIN_SECONDS, math.ceil(expected_ms / 1000)))
