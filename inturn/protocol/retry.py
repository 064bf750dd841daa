"""When a call is worth repeating, and after how long. Pure: the clock and the chance come from outside."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from inturn.errors import InTurnError, StreamsFull, Unreachable

# Each is said before anything is done, or by a proxy; and every call may be repeated: it only reads, asks for what is
# so already, or has an idempotency key.
REPEATABLE = frozenset({408, 429, 502, 503, 504})
FIRST_SECONDS = 0.5
LONGEST_SECONDS = 8.0
LONGEST_RETRY_AFTER_SECONDS = 60.0  # who is asked to stay away for longer is told so instead
RETRIES_WHILE_WAITING = 15  # about a minute and a half: longer than a deployment takes


@dataclass(frozen=True, slots=True, kw_only=True)
class Persistence:
    """How often a call is repeated. `chance` gives numbers from 0 to 1, `clock` seconds that only rise."""

    max_retries: int
    chance: Callable[[], float]
    clock: Callable[[], float]

    def while_waiting(self) -> "Persistence":
        """For a turn that runs on whoever watches it; but who wants no retries gets none."""
        return replace(self, max_retries=max(self.max_retries, RETRIES_WHILE_WAITING)) if self.max_retries else self

    def pause_after(self, attempt: int, error: InTurnError) -> float | None:
        """Seconds to wait after the attempt, the first of which is 1; None: give up."""
        asked = error.retry_after_seconds or 0.0
        if attempt > self.max_retries or not _may_pass(error) or asked > LONGEST_RETRY_AFTER_SECONDS:
            return None
        return asked + self.jitter(attempt)

    def jitter(self, attempt: int) -> float:
        """Full jitter: those who failed together do not come again together."""
        ceiling: float = min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** (attempt - 1))
        return self.chance() * ceiling


def _may_pass(error: InTurnError) -> bool:
    if isinstance(error, StreamsFull):  # a long-poll has the answer sooner
        return False
    return isinstance(error, Unreachable) or error.status in REPEATABLE
