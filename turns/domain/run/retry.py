"""Decide what follows a failed attempt, without I/O: retry, wait for the model, use the fallback model, or give up."""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from turns.domain.error_codes import Code
from turns.domain.errors import ModelError, ModelErrorKind

MAX_DELAY_SECONDS = 60.0

# How many turns run at once that have lost one worker, two workers, and more. A turn that ends its workers soon runs
# without other suspects, so that it takes none of them with it.
COHORTS = (25, 4, 1)

MIN_PAUSE_SECONDS = 1.0  # "Retry-After: 0" from an overloaded provider would otherwise cause a request loop

# Errors after which the fallback model is tried. A filtered answer is not among them: that would bypass the policy.
FALLBACK_CODES = frozenset(
    {
        Code.INCOMPLETE_ANSWER,
        Code.OUTPUT_INVALID,
        Code.PROVIDER_AUTHENTICATION,
        Code.PROVIDER_ERROR,
        Code.PROVIDER_MODEL_NOT_FOUND,
        Code.PROVIDER_PROTOCOL,
        Code.PROVIDER_QUOTA,
        Code.PROVIDER_RATE_LIMITED,
        Code.PROVIDER_TIMEOUT,
        Code.PROVIDER_UNREACHABLE,
    }
)

# These failures cost a long wait or the price of an answer, so they are retried only once.
MAX_ATTEMPTS_BY_CODE = MappingProxyType(
    {Code.INCOMPLETE_ANSWER: 2, Code.OUTPUT_INVALID: 2, Code.PROVIDER_PROTOCOL: 2, Code.PROVIDER_TIMEOUT: 2}
)


class HoldReason(StrEnum):
    """Reason why a model gets no turns for a while."""

    RATE_LIMITED = "rate_limited"  # its provider limits the rate
    OUTAGE = "outage"  # it does not answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Send the model no turns for `seconds`; if None, for a time that grows with each failed probe."""

    reason: HoldReason
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Run the turn again after `after_seconds`, or when its `hold` is over, unless it falls back.

    `counts`: the failed attempt counts towards the maximum. `falls_back`: later attempts use the fallback model.
    `hold`: no worker calls the failed model for a while.
    """

    after_seconds: float
    counts: bool = True
    falls_back: bool = False
    hold: Hold | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """Fail the turn with `code`."""

    code: Code


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The failed attempt: its number, from 1; `is_outage`: other turns of the model fail likewise."""

    number: int
    has_fallback: bool
    is_outage: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Limits and delays of retries. The store ends turns that have waited too long for a hold."""

    max_attempts: int
    base_seconds: float
    cap_seconds: float = MAX_DELAY_SECONDS

    def decide(self, error: ModelError, attempt: Attempt, *, jitter: float) -> Retry | GiveUp:
        """Return the decision after a failed attempt; `jitter` is a random number in [0, 1).

        The delay has full jitter: it is uniform below a ceiling that doubles with each attempt, so that turns which
        failed together are not retried together.
        Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
        """
        falls_back = attempt.has_fallback and error.code in FALLBACK_CODES
        if hold := _hold_for(error, attempt):
            after_seconds = 0.0 if falls_back else hold.seconds or 0.0
            return Retry(after_seconds=after_seconds, counts=False, falls_back=falls_back, hold=hold)
        max_attempts = min(self.max_attempts, MAX_ATTEMPTS_BY_CODE.get(error.code, self.max_attempts))
        if falls_back and attempt.number < self.max_attempts:
            return Retry(after_seconds=0.0, falls_back=True)
        if attempt.number >= max_attempts or error.kind in {ModelErrorKind.HOPELESS, ModelErrorKind.SILENT}:
            return GiveUp(code=error.code)
        return Retry(after_seconds=jitter * min(self.cap_seconds, self.base_seconds * 2.0 ** (attempt.number - 1)))


def _hold_for(error: ModelError, attempt: Attempt) -> Hold | None:
    """Return the hold of the model that this error asks for, or None."""
    if error.kind is ModelErrorKind.RATE_LIMITED:
        asked = error.retry_after_seconds
        return Hold(reason=HoldReason.RATE_LIMITED, seconds=None if asked is None else max(MIN_PAUSE_SECONDS, asked))
    return Hold(reason=HoldReason.OUTAGE) if attempt.is_outage else None


class RetryBudget:
    """Limit of retries, so that an outage does not double the load: a tenth of first attempts and a reserve.

    Source of the ratio: Site Reliability Engineering, chapter 21, "Handling Overload".
    """

    SHARE = 0.1
    RESERVE = 20.0

    def __init__(self) -> None:
        self._left = self.RESERVE

    def earn(self) -> None:
        """Add the share of one first attempt."""
        self._left = min(self.RESERVE, self._left + self.SHARE)

    def spend(self) -> bool:
        """Take one retry from the budget; return false if it is used up."""
        if self._left < 1:
            return False
        self._left -= 1
        return True
