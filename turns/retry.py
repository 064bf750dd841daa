"""What to do after a failed attempt: a decision, made without a clock, a store or a sleep."""

from dataclasses import dataclass

from turns.codes import Code
from turns.errors import ModelError, ModelErrorKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Try again after so many seconds. `counts`: the failed attempt is one of those allowed."""

    after_seconds: float
    counts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """The turn fails for good."""

    code: Code


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    max_attempts: int
    base_seconds: float = 0.5
    cap_seconds: float = 30.0

    def decide(self, error: ModelError, *, attempt: int, jitter: float) -> Retry | GiveUp:
        """`attempt` is the one that failed, from 1; `jitter` is random in [0, 1).

        Full jitter: the delay is uniform below a ceiling that doubles with each attempt, so that turns which
        failed together do not come back together.
        Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
        """
        if error.kind is ModelErrorKind.HOPELESS:
            return GiveUp(code=error.code)
        ceiling = min(self.cap_seconds, self.base_seconds * 2.0 ** (attempt - 1))
        if error.kind is ModelErrorKind.RATE_LIMITED and error.retry_after_seconds is not None:
            # Jitter comes on top: nobody may be earlier than the provider said.
            return Retry(after_seconds=error.retry_after_seconds + jitter * self.base_seconds, counts=False)
        if attempt >= self.max_attempts:
            return GiveUp(code=error.code)
        return Retry(after_seconds=jitter * ceiling, counts=True)
