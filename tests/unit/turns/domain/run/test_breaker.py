import pytest

from turns.domain.error_codes import Code
from turns.domain.errors import ModelError, ModelErrorKind
from turns.domain.run.breaker import Breaker, is_provider_failure

ERROR = ModelError(Code.PROVIDER_ERROR, ModelErrorKind.RETRYABLE, provider_status=500)
UNREACHABLE = ModelError(Code.PROVIDER_UNREACHABLE, ModelErrorKind.RETRYABLE)


@pytest.fixture
def breaker() -> Breaker:
    return Breaker(max_failures=5, max_attempts=3)


def fail(breaker: Breaker, times: int, model: str = "m") -> None:
    for _ in range(times):
        breaker.record_failure(model)


def test_the_breaker_opens_after_a_run_of_failures(breaker: Breaker) -> None:
    fail(breaker, 4)
    fail(breaker, 9, "other")
    assert not breaker.is_open("m", ERROR, attempt=1)
    fail(breaker, 1)
    assert breaker.is_open("m", ERROR, attempt=1)


def test_an_answer_ends_the_run_of_failures(breaker: Breaker) -> None:
    fail(breaker, 9)
    breaker.record_answer("m")
    fail(breaker, 4)
    assert not breaker.is_open("m", ERROR, attempt=1)


def test_runs_that_fail_at_the_same_moment_count(breaker: Breaker) -> None:
    """All turns of a silent model are stopped at once, and the first one that ends must not fail for that."""
    fail(breaker, 1)
    assert breaker.is_open("m", ERROR, attempt=1, concurrent_failures=4)


@pytest.mark.parametrize(
    ("error", "has_answered", "is_open"),
    [(UNREACHABLE, True, True), (UNREACHABLE, False, False), (ERROR, True, False)],
)
def test_a_turn_alone_recognises_only_a_model_that_vanished(
    breaker: Breaker, error: ModelError, has_answered: bool, is_open: bool
) -> None:
    """A wrong address fails at once, and so does a request that the provider cannot handle."""
    if has_answered:
        breaker.record_answer("m")
    fail(breaker, 3)
    assert not breaker.is_open("m", error, attempt=2)
    assert breaker.is_open("m", error, attempt=3) == is_open


@pytest.mark.parametrize(
    ("code", "kind", "counts"),
    [
        (Code.PROVIDER_TIMEOUT, ModelErrorKind.SILENT, True),
        (Code.PROVIDER_TIMEOUT, ModelErrorKind.RETRYABLE, True),
        (Code.PROVIDER_TIMEOUT, ModelErrorKind.HOPELESS, False),
        (Code.PROVIDER_REJECTED, ModelErrorKind.HOPELESS, False),
        (Code.PROVIDER_RATE_LIMITED, ModelErrorKind.RATE_LIMITED, False),
    ],
)
def test_only_failures_that_any_turn_could_meet_count(code: Code, kind: ModelErrorKind, counts: bool) -> None:
    assert is_provider_failure(ModelError(code, kind)) == counts
