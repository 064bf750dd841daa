"""What to do after a failed attempt: a decision, made without a clock, a store or a sleep."""

from dataclasses import dataclass
from types import MappingProxyType

from turns.domain.error_codes import Code
from turns.domain.errors import ModelError, ModelErrorKind

MIN_PAUSE_SECONDS = 1.0  # a provider that says "now" to everybody would be asked without end

# Another model can have luck with these. Not with a filtered answer: that would launder a policy.
OF_THE_MODEL = frozenset(
    {
        Code.INCOMPLETE_ANSWER,
        Code.PROVIDER_AUTHENTICATION,
        Code.PROVIDER_ERROR,
        Code.PROVIDER_PROTOCOL,
        Code.PROVIDER_QUOTA,
        Code.PROVIDER_RATE_LIMITED,
        Code.PROVIDER_TIMEOUT,
        Code.PROVIDER_UNREACHABLE,
    }
)

# Each of these cost the caller a long wait, or the price of an answer: once more, and no further.
MAX_ATTEMPTS = MappingProxyType({Code.INCOMPLETE_ANSWER: 2, Code.PROVIDER_PROTOCOL: 2, Code.PROVIDER_TIMEOUT: 2})


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Try again after so many seconds.

    `counts`: the failed attempt is one of those allowed. `falls_back`: with the other model from now on.
    `pause_seconds`: nobody asks the model that failed for so long.
    """

    after_seconds: float
    counts: bool = True
    falls_back: bool = False
    pause_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """The turn fails for good."""

    code: Code


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The attempt that failed. `number` counts from 1; `waited_seconds` since the turn was accepted."""

    number: int
    waited_seconds: float
    has_fallback: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    max_attempts: int
    patience_seconds: float
    base_seconds: float
    cap_seconds: float = 60.0

    def decide(self, error: ModelError, attempt: Attempt, *, jitter: float) -> Retry | GiveUp:
        """`jitter` is random in [0, 1).

        Full jitter: the delay is uniform below a ceiling that doubles with each attempt, so that turns which
        failed together do not come back together.
        Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
        """
        falls_back = attempt.has_fallback and error.code in OF_THE_MODEL
        if error.kind is ModelErrorKind.RATE_LIMITED and error.retry_after_seconds is not None:
            return self._wait_out(max(MIN_PAUSE_SECONDS, error.retry_after_seconds), error, attempt, jitter, falls_back)
        most = min(self.max_attempts, MAX_ATTEMPTS.get(error.code, self.max_attempts))
        if falls_back and attempt.number < self.max_attempts:
            return Retry(after_seconds=0.0, falls_back=True)
        if attempt.number >= most or error.kind is ModelErrorKind.HOPELESS:
            return GiveUp(code=error.code)
        return Retry(after_seconds=jitter * min(self.cap_seconds, self.base_seconds * 2.0 ** (attempt.number - 1)))

    def _wait_out(
        self, pause: float, error: ModelError, attempt: Attempt, jitter: float, falls_back: bool
    ) -> Retry | GiveUp:
        """The provider said when to come back: that costs no attempt, but no turn waits for ever."""
        if falls_back:
            pause = min(pause, self.patience_seconds)  # it holds for all, and a provider may say anything
            return Retry(after_seconds=0.0, counts=False, falls_back=True, pause_seconds=pause)
        if attempt.waited_seconds + pause > self.patience_seconds:
            return GiveUp(code=error.code)
        # Jitter comes on top: nobody may be earlier than the provider said.
        return Retry(after_seconds=pause + jitter * self.base_seconds, counts=False, pause_seconds=pause)


class RetryBudget:
    """Keeps an outage from doubling the load: retries are a tenth of first attempts, beyond a small reserve.

    Source of the tenth: Site Reliability Engineering, chapter 21, "Handling Overload".
    """

    SHARE = 0.1
    RESERVE = 20.0

    def __init__(self) -> None:
        self._left = self.RESERVE

    def earn(self) -> None:
        """A first attempt was made."""
        self._left = min(self.RESERVE, self._left + self.SHARE)

    def spend(self) -> bool:
        """A retry may be made."""
        if self._left < 1:
            return False
        self._left -= 1
        return True
