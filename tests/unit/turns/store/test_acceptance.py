import pytest

from turns.backend.script_replies import Reply
from turns.domain.errors import Overloaded, RateLimited
from turns.store.acceptance import METERED, REFUSALS, refusal


@pytest.mark.parametrize(("wait_ms", "seconds"), [(1, 1), (1000, 1), (1001, 2), (59_999, 60)])
def test_the_wait_until_a_retry_is_rounded_up(wait_ms: int, seconds: int) -> None:
    error = refusal(Reply.RATE_LIMITED, wait_ms=wait_ms)
    assert (type(error), error.retry_after_seconds) == (RateLimited, seconds)


def test_a_refusal_without_a_known_wait_has_its_default() -> None:
    assert refusal(Reply.OVERLOADED, wait_ms=0).retry_after_seconds == Overloaded.retry_after_seconds


def test_each_refusal_has_one_exception() -> None:
    errors = [*REFUSALS.values(), *METERED.values()]
    assert len(set(errors)) == len(errors)
    assert not set(REFUSALS) & set(METERED)
