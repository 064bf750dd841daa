"""The retry policy."""

import pytest

from inturn.errors import (
    InTurnError,
    Overloaded,
    ServiceBroken,
    SessionBacklogFull,
    StreamsFull,
    TurnNotFound,
    Unreachable,
)
from inturn.protocol.retry import MAX_DELAY_SECONDS, RequestRetryPolicy


def policy(*, max_retries: int = 4, random: float = 1.0) -> RequestRetryPolicy:
    return RequestRetryPolicy(max_retries=max_retries, random=lambda: random, clock=lambda: 0.0)


@pytest.mark.parametrize(
    ("error", "is_retried"),
    [
        (Unreachable("no response"), True),
        (Overloaded("full", status=503), True),
        (SessionBacklogFull("full", status=429), True),
        (InTurnError("a proxy is restarting", status=502), True),
        (StreamsFull("full", status=503), False),  # a long poll gets the answer sooner
        (TurnNotFound("no", status=404), False),
        (ServiceBroken("a bug", status=500), False),
    ],
)
def test_temporary_errors_are_retried(error: InTurnError, is_retried: bool) -> None:
    assert (policy().delay_after(1, error) is not None) is is_retried


def test_the_maximum_delay_doubles_up_to_a_limit() -> None:
    error = Unreachable("x")
    delays = [policy(max_retries=9).delay_after(attempt, error) for attempt in range(1, 8)]
    assert delays == [0.5, 1, 2, 4, MAX_DELAY_SECONDS, MAX_DELAY_SECONDS, MAX_DELAY_SECONDS]
    assert policy(random=0).delay_after(4, error) == 0


def test_it_gives_up_after_the_maximum_number_of_retries() -> None:
    assert policy(max_retries=2).delay_after(2, Unreachable("x")) is not None
    assert policy(max_retries=2).delay_after(3, Unreachable("x")) is None
    assert policy(max_retries=0).while_waiting().delay_after(1, Unreachable("x")) is None


def test_a_random_delay_is_added_to_retry_after() -> None:
    error = Overloaded("full", status=503, retry_after_seconds=5)
    assert policy(random=0).delay_after(1, error) == 5
    assert policy(random=1).delay_after(1, error) == 5.5


def test_it_gives_up_if_retry_after_is_too_long() -> None:
    assert policy().delay_after(1, Overloaded("full", status=503, retry_after_seconds=3600)) is None
