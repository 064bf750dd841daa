"""The retry policy: which requests are repeated and after which delay. Pure; clock and random source are arguments."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from inturn.errors import InTurnError, StreamsFull, Unreachable

# The service sends these before it changes anything, or a proxy sends them. Repeating is safe in any case: a request
# only reads, asks for a state that may already exist, or has an idempotency key.
RETRYABLE_STATUSES = frozenset({408, 429, 502, 503, 504})
FIRST_DELAY_SECONDS = 0.5
MAX_DELAY_SECONDS = 8.0
MAX_RETRY_AFTER_SECONDS = 60.0  # for a longer Retry-After the error is raised, so that the caller can decide
WAITING_RETRIES = 15  # about a minute and a half, longer than a deployment takes


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRetryPolicy:
    """How often a request is repeated. `random` returns numbers from 0 to 1, `clock` monotonic seconds."""

    max_retries: int
    random: Callable[[], float]
    clock: Callable[[], float]

    def while_waiting(self) -> "RequestRetryPolicy":
        """Return a more patient policy for requests that wait for a turn; unchanged if retries are off."""
        return replace(self, max_retries=max(self.max_retries, WAITING_RETRIES)) if self.max_retries else self

    def delay_after(self, attempt: int, error: InTurnError) -> float | None:
        """Return the seconds to wait after this attempt, counted from 1. Return None to give up."""
        requested = error.retry_after_seconds or 0.0
        if attempt > self.max_retries or not _is_retryable(error) or requested > MAX_RETRY_AFTER_SECONDS:
            return None
        return requested + self.backoff(attempt)

    def backoff(self, attempt: int) -> float:
        """Return a random delay with exponential growth, so that clients that failed together spread out."""
        ceiling: float = min(MAX_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** (attempt - 1))
        return self.random() * ceiling


def _is_retryable(error: InTurnError) -> bool:
    if isinstance(error, StreamsFull):  # a long poll gets the answer sooner than another attempt
        return False
    return isinstance(error, Unreachable) or error.status in RETRYABLE_STATUSES
