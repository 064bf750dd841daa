"""What is repeated, and when."""

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
from inturn.protocol.retry import LONGEST_SECONDS, Persistence


def persistence(*, max_retries: int = 4, chance: float = 1.0) -> Persistence:
    return Persistence(max_retries=max_retries, chance=lambda: chance, clock=lambda: 0.0)


@pytest.mark.parametrize(
    ("error", "is_repeated"),
    [
        (Unreachable("nobody answers"), True),
        (Overloaded("full", status=503), True),
        (SessionBacklogFull("full", status=429), True),
        (InTurnError("a proxy is restarting", status=502), True),
        (StreamsFull("full", status=503), False),  # a long-poll has the answer sooner
        (TurnNotFound("no", status=404), False),
        (ServiceBroken("a bug", status=500), False),
    ],
)
def test_what_may_pass_is_repeated(error: InTurnError, is_repeated: bool) -> None:
    assert (persistence().pause_after(1, error) is not None) is is_repeated


def test_the_ceiling_of_the_jitter_doubles_up_to_a_limit() -> None:
    error = Unreachable("x")
    pauses = [persistence(max_retries=9).pause_after(attempt, error) for attempt in range(1, 8)]
    assert pauses == [0.5, 1, 2, 4, LONGEST_SECONDS, LONGEST_SECONDS, LONGEST_SECONDS]
    assert persistence(chance=0).pause_after(4, error) == 0


def test_it_ends_after_so_many_retries() -> None:
    assert persistence(max_retries=2).pause_after(2, Unreachable("x")) is not None
    assert persistence(max_retries=2).pause_after(3, Unreachable("x")) is None
    assert persistence(max_retries=0).while_waiting().pause_after(1, Unreachable("x")) is None


def test_nobody_comes_back_sooner_than_asked_nor_all_at_once() -> None:
    asked = Overloaded("full", status=503, retry_after_seconds=5)
    assert persistence(chance=0).pause_after(1, asked) == 5
    assert persistence(chance=1).pause_after(1, asked) == 5.5


def test_who_is_asked_to_stay_away_for_an_hour_is_told_so_instead() -> None:
    assert persistence().pause_after(1, Overloaded("full", status=503, retry_after_seconds=3600)) is None
