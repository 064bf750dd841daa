import pytest
from hypothesis import given
from hypothesis import strategies as st

from turns.domain.error_codes import Code
from turns.domain.errors import ModelError, ModelErrorKind
from turns.domain.run.retry import Attempt, GiveUp, Hold, HoldReason, Retry, RetryBudget, RetryPolicy

POLICY = RetryPolicy(max_attempts=3, base_seconds=0.5, cap_seconds=30)
RETRYABLE = ModelError(Code.PROVIDER_ERROR, ModelErrorKind.RETRYABLE)
QUOTA = ModelError(Code.PROVIDER_QUOTA, ModelErrorKind.HOPELESS)
SILENT = ModelError(Code.PROVIDER_TIMEOUT, ModelErrorKind.SILENT)
FILTERED = ModelError(Code.CONTENT_FILTERED, ModelErrorKind.HOPELESS)


def limited(seconds: float | None) -> ModelError:
    return ModelError(Code.PROVIDER_RATE_LIMITED, ModelErrorKind.RATE_LIMITED, retry_after_seconds=seconds)


def attempt(number: int = 1, *, fallback: bool = False, outage: bool = False) -> Attempt:
    return Attempt(number=number, has_fallback=fallback, is_outage=outage)


@given(number=st.integers(1, 2), jitter=st.floats(0, 1, exclude_max=True))
def test_the_retry_delay_is_below_a_ceiling_that_doubles(number: int, jitter: float) -> None:
    decision = POLICY.decide(RETRYABLE, attempt(number), jitter=jitter)
    assert isinstance(decision, Retry)
    assert decision.counts
    assert decision.after_seconds == pytest.approx(jitter * 0.5 * 2 ** (number - 1))


def test_the_retry_delay_has_a_maximum() -> None:
    policy = RetryPolicy(max_attempts=100, base_seconds=0.5, cap_seconds=30)
    assert policy.decide(RETRYABLE, attempt(99), jitter=0.5) == Retry(after_seconds=15)


def test_no_retry_follows_the_last_attempt() -> None:
    assert POLICY.decide(RETRYABLE, attempt(3), jitter=0) == GiveUp(code=Code.PROVIDER_ERROR)
    assert POLICY.decide(RETRYABLE, attempt(3, fallback=True), jitter=0) == GiveUp(code=Code.PROVIDER_ERROR)


@pytest.mark.parametrize("error", [QUOTA, SILENT])
def test_a_hopeless_or_silent_failure_is_not_retried(error: ModelError) -> None:
    assert POLICY.decide(error, attempt(), jitter=0) == GiveUp(code=error.code)


@pytest.mark.parametrize("number", [1, 3, 50])
@pytest.mark.parametrize("seconds", [300.0, 1e300, None])
def test_a_rate_limit_holds_the_model_and_costs_no_attempt(number: int, seconds: float | None) -> None:
    hold = Hold(reason=HoldReason.RATE_LIMITED, seconds=seconds)
    decision = POLICY.decide(limited(seconds), attempt(number), jitter=0.5)
    assert decision == Retry(after_seconds=seconds or 0, counts=False, hold=hold)


def test_retry_after_zero_waits_for_the_minimum_pause() -> None:
    decision = POLICY.decide(limited(0), attempt(), jitter=0)
    assert isinstance(decision, Retry)
    assert decision.hold == Hold(reason=HoldReason.RATE_LIMITED, seconds=1)


@pytest.mark.parametrize("error", [RETRYABLE, SILENT])
def test_an_outage_holds_the_model_and_costs_no_attempt(error: ModelError) -> None:
    decision = POLICY.decide(error, attempt(50, outage=True), jitter=0.5)
    assert decision == Retry(after_seconds=0, counts=False, hold=Hold(reason=HoldReason.OUTAGE))


@pytest.mark.parametrize("error", [RETRYABLE, QUOTA])
def test_the_fallback_is_tried_at_once(error: ModelError) -> None:
    assert POLICY.decide(error, attempt(fallback=True), jitter=0.9) == Retry(after_seconds=0, falls_back=True)


@pytest.mark.parametrize(("error", "outage"), [(limited(300), False), (RETRYABLE, True)])
def test_the_fallback_is_tried_during_a_hold(error: ModelError, outage: bool) -> None:
    decision = POLICY.decide(error, attempt(fallback=True, outage=outage), jitter=0.9)
    assert isinstance(decision, Retry)
    assert (decision.after_seconds, decision.counts, decision.falls_back) == (0, False, True)
    assert decision.hold is not None


def test_a_filtered_answer_is_not_tried_with_the_fallback() -> None:
    assert POLICY.decide(FILTERED, attempt(fallback=True), jitter=0) == GiveUp(code=Code.CONTENT_FILTERED)


def test_the_budget_limits_retries_to_a_tenth() -> None:
    budget = RetryBudget()
    retries = 0
    for _ in range(1000):
        budget.earn()
        retries += budget.spend()
    assert retries == pytest.approx(1000 * RetryBudget.SHARE + RetryBudget.RESERVE, abs=2)
