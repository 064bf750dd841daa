"""Let a fresh worker take up work gradually, so that it does not claim a whole backlog in its first moment."""

import time
from collections.abc import Callable

FIRST = 8  # turns that a worker claims at once
STEP_SECONDS = 0.25  # after each one, it may have claimed twice as many: 256 after 1.25 s


class SlowStart:
    """Delays the first claims of a worker if there is a backlog.

    A crash that follows at once costs few turns, workers that start together share a backlog, and the provider sees a
    ramp instead of a step. Turns of a killed worker need no such delay, because `lose_run.lua` lets few run at a time.
    """

    def __init__(
        self,
        concurrency: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._claims = 0
        self._began_at = clock()
        self._seconds = _steps(concurrency) * STEP_SECONDS
        self._is_over = False

    def start(self) -> None:
        """Begin when the worker is ready."""
        self._began_at = self._clock()

    def stop(self) -> None:
        """Delay no further claim."""
        self._is_over = True

    def wait(self) -> None:
        """Return when the next turn may be claimed."""
        if self._is_over:
            return
        elapsed = self._clock() - self._began_at
        self._is_over = elapsed >= self._seconds
        due = _steps(self._claims) * STEP_SECONDS
        self._claims += 1
        if due > elapsed:
            self._sleep(due - elapsed)


def _steps(claims: int) -> int:
    """Return the number of steps before this many turns may have been claimed."""
    return (claims // FIRST).bit_length()
