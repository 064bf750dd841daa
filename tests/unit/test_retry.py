import pytest
from hypothesis import given
from hypothesis import strategies as st

from turns.codes import Code
from turns.errors import ModelError, ModelErrorKind
from turns.retry import GiveUp, Retry, RetryPolicy

POLICY = RetryPolicy(max_attempts=3, base_seconds=0.5, cap_seconds=30)
RETRYABLE = ModelError(Code.PROVIDER_ERROR, ModelErrorKind.RETRYABLE)


@given(attempt=st.integers(1, 2), jitter=st.floats(0, 1, exclude_max=True))
def test_a_passing_error_is_tried_again_below_a_ceiling_that_doubles(attempt: int, jitter: float) -> None:
    decision = POLICY.decide(RETRYABLE, attempt=attempt, jitter=jitter)
    assert isinstance(decision, Retry)
    assert decision.counts
    assert decision.after_seconds == pytest.approx(jitter * 0.5 * 2 ** (attempt - 1))


def test_the_ceiling_has_a_ceiling() -> None:
    policy = RetryPolicy(max_attempts=100, base_seconds=0.5, cap_seconds=30)
    assert policy.decide(RETRYABLE, attempt=99, jitter=0.5) == Retry(after_seconds=15, counts=True)


def test_the_last_attempt_is_the_last() -> None:
    assert POLICY.decide(RETRYABLE, attempt=3, jitter=0) == GiveUp(code=Code.PROVIDER_ERROR)


def test_a_hopeless_error_is_not_tried_again() -> None:
    hopeless = ModelError(Code.PROVIDER_QUOTA, ModelErrorKind.HOPELESS)
    assert POLICY.decide(hopeless, attempt=1, jitter=0) == GiveUp(code=Code.PROVIDER_QUOTA)


@pytest.mark.parametrize("attempt", [1, 3, 50])
def test_a_rate_limit_is_waited_out_however_long_and_costs_no_attempt(attempt: int) -> None:
    limited = ModelError(Code.PROVIDER_RATE_LIMITED, ModelErrorKind.RATE_LIMITED, retry_after_seconds=300)
    assert POLICY.decide(limited, attempt=attempt, jitter=0.5) == Retry(after_seconds=300.25, counts=False)


def test_a_rate_limit_that_names_no_time_is_a_passing_error() -> None:
    limited = ModelError(Code.PROVIDER_RATE_LIMITED, ModelErrorKind.RATE_LIMITED)
    assert POLICY.decide(limited, attempt=1, jitter=0) == Retry(after_seconds=0, counts=True)
    assert POLICY.decide(limited, attempt=3, jitter=0) == GiveUp(code=Code.PROVIDER_RATE_LIMITED)
