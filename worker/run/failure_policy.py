"""Decide what follows a failed run: another attempt, at which time and with which model, or the end of the turn."""

import random

from turns.config.settings import Settings
from turns.domain.errors import ModelError, ModelErrorKind
from turns.domain.run.breaker import ANSWER_CODES, Breaker, is_provider_failure
from turns.domain.run.claim import Claim
from turns.domain.run.retry import Attempt, GiveUp, Retry, RetryBudget, RetryPolicy
from worker.provider.models import fallback_name
from worker.run.active_runs import ActiveRun, ActiveRuns


class FailurePolicy:
    """Counts the failures of the runs of this worker, and limits their retries together."""

    def __init__(self, settings: Settings, active_runs: ActiveRuns) -> None:
        self._settings = settings
        self._active_runs = active_runs
        self._policy = RetryPolicy(
            max_attempts=settings.max_attempts,
            base_seconds=settings.retry_seconds,
        )
        self._budget = RetryBudget()
        self._breaker = Breaker(max_failures=settings.breaker_failures, max_attempts=settings.max_attempts)

    def count_first_attempt(self) -> None:
        """Allow for more retries after the first attempt of a turn has begun."""
        self._budget.earn()

    def record_answer(self, claim: Claim) -> None:
        """Record that the model has answered, so its failures in a row begin anew."""
        self._breaker.record_answer(claim.hold_name)

    def decide(self, active: ActiveRun, error: ModelError) -> Retry | GiveUp:
        """Count the failure of a run, and return what follows."""
        claim, fallback = active.claim, fallback_name(active.settings)
        attempt = Attempt(
            number=claim.attempt,
            has_fallback=bool(fallback) and claim.model != fallback,
            is_outage=self._is_outage(active, error),
        )
        decision = self._policy.decide(error, attempt, jitter=random.random())
        if isinstance(decision, Retry) and decision.counts and not self._budget.spend():
            return GiveUp(code=error.code)
        return decision

    def _is_outage(self, active: ActiveRun, error: ModelError) -> bool:
        """Count the result of a failed run, and return whether it shows that the model does not answer at all."""
        claim = active.claim
        if error.kind is ModelErrorKind.RATE_LIMITED:
            return False
        if not is_provider_failure(error):
            if error.code in ANSWER_CODES:
                self._breaker.record_answer(claim.hold_name)
            return False
        self._breaker.record_failure(claim.hold_name)
        late = self._active_runs.count_other_late_runs(active)
        is_open = self._breaker.is_open(claim.hold_name, error, attempt=claim.attempt, concurrent_failures=late)
        return self._settings.outage_patience_seconds > 0 and (claim.is_probe or is_open)
