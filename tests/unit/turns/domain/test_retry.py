import pytest
from hypothesis import given
from hypothesis import strategies as st

from turns.domain.error_codes import Code
from turns.domain.errors import ModelError, ModelErrorKind
from turns.domain.retry import Attempt, GiveUp, Retry, RetryBudget, RetryPolicy

POLICY = RetryPolicy(max_attempts=3, max_wait_seconds=3600, base_seconds=0.5, cap_seconds=30)
RETRYABLE = ModelError(Code.PROVIDER_ERROR, ModelErrorKind.RETRYABLE)
QUOTA = ModelError(Code.PROVIDER_QUOTA, ModelErrorKind.HOPELESS)
FILTERED = ModelError(Code.CONTENT_FILTERED, ModelErrorKind.HOPELESS)


def limited(seconds: float | None) -> ModelError:
    return ModelError(Code.PROVIDER_RATE_LIMITED, ModelErrorKind.RATE_LIMITED, retry_after_seconds=seconds)


def attempt(number: int = 1, *, waited: float = 0, fallback: bool = False) -> Attempt:
    return Attempt(number=number, waited_seconds=waited, has_fallback=fallback)


@given(number=st.integers(1, 2), jitter=st.floats(0, 1, exclude_max=True))
def test_the_retry_delay_is_below_a_ceiling_that_doubles(number: int, jitter: float) -> None:
    decision = POLICY.decide(RETRYABLE, attempt(number), jitter=jitter)
    assert isinstance(decision, Retry)
    assert decision.counts
    assert decision.after_seconds == pytest.approx(jitter * 0.5 * 2 ** (number - 1))


def test_the_retry_delay_has_a_maximum() -> None:
    policy = RetryPolicy(max_attempts=100, max_wait_seconds=3600, base_seconds=0.5, cap_seconds=30)
    assert policy.decide(RETRYABLE, attempt(99), jitter=0.5) == Retry(after_seconds=15)


def test_no_retry_follows_the_last_attempt() -> None:
    assert POLICY.decide(RETRYABLE, attempt(3), jitter=0) == GiveUp(code=Code.PROVIDER_ERROR)
    assert POLICY.decide(RETRYABLE, attempt(3, fallback=True), jitter=0) == GiveUp(code=Code.PROVIDER_ERROR)


def test_a_hopeless_error_is_not_retried() -> None:
    assert POLICY.decide(QUOTA, attempt(), jitter=0) == GiveUp(code=Code.PROVIDER_QUOTA)


@pytest.mark.parametrize("number", [1, 3, 50])
def test_a_rate_limit_delays_the_retry_and_costs_no_attempt(number: int) -> None:
    decision = POLICY.decide(limited(300), attempt(number), jitter=0.5)
    assert decision == Retry(after_seconds=300.25, counts=False, pause_seconds=300)


def test_retry_after_zero_waits_for_the_minimum_pause() -> None:
    assert POLICY.decide(limited(0), attempt(), jitter=0) == Retry(after_seconds=1, counts=False, pause_seconds=1)


def test_a_turn_fails_when_a_rate_limit_lasts_too_long() -> None:
    assert POLICY.decide(limited(300), attempt(waited=3400), jitter=0) == GiveUp(code=Code.PROVIDER_RATE_LIMITED)


def test_a_rate_limit_without_a_time_is_retried_as_an_error() -> None:
    assert POLICY.decide(limited(None), attempt(), jitter=0) == Retry(after_seconds=0)
    assert POLICY.decide(limited(None), attempt(3), jitter=0) == GiveUp(code=Code.PROVIDER_RATE_LIMITED)


@pytest.mark.parametrize("error", [RETRYABLE, QUOTA])
def test_the_fallback_is_tried_at_once(error: ModelError) -> None:
    assert POLICY.decide(error, attempt(fallback=True), jitter=0.9) == Retry(after_seconds=0, falls_back=True)


def test_the_fallback_is_tried_during_a_pause() -> None:
    decision = POLICY.decide(limited(300), attempt(fallback=True), jitter=0.9)
    assert decision == Retry(after_seconds=0, counts=False, falls_back=True, pause_seconds=300)


def test_a_pause_is_at_most_the_maximum_wait() -> None:
    decision = POLICY.decide(limited(1e300), attempt(fallback=True), jitter=0)
    assert isinstance(decision, Retry)
    assert decision.pause_seconds == POLICY.max_wait_seconds


def test_a_filtered_answer_is_not_tried_with_the_fallback() -> None:
    assert POLICY.decide(FILTERED, attempt(fallback=True), jitter=0) == GiveUp(code=Code.CONTENT_FILTERED)


def test_the_budget_limits_retries_to_a_tenth() -> None:
    budget = RetryBudget()
    retries = 0
    for _ in range(1000):
        budget.earn()
        retries += budget.spend()
    assert retries == pytest.approx(1000 * RetryBudget.SHARE + RetryBudget.RESERVE, abs=2)
