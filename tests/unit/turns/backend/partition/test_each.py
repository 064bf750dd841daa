import threading

import pytest

from turns.backend.partition.each import call_available, call_each
from turns.domain.errors import StoreUnavailable


def away() -> int:
    raise StoreUnavailable("away")


def broken() -> int:
    raise ValueError("a bug")


def test_results_are_in_the_order_of_the_calls() -> None:
    assert call_each([lambda n=n: n for n in range(24)]) == list(range(24))  # type: ignore[misc]
    assert call_each([]) == []


def test_no_call_waits_for_another_one() -> None:
    meeting = threading.Barrier(3, timeout=60)
    assert len(call_each([meeting.wait] * 3)) == 3


def test_a_partition_that_is_away_fails_what_needs_all() -> None:
    with pytest.raises(StoreUnavailable):
        call_each([lambda: 1, away])


def test_a_partition_that_is_away_is_left_out_elsewhere() -> None:
    assert call_available([lambda: 1, away, lambda: 3]) == [1, 3]


@pytest.mark.parametrize("calls", [[away], [away, away]])
def test_a_store_of_which_all_is_away_is_unavailable(calls: list[object]) -> None:
    with pytest.raises(StoreUnavailable):
        call_available(calls)  # type: ignore[arg-type]


def test_a_bug_is_not_left_out() -> None:
    with pytest.raises(ValueError, match="a bug"):
        call_available([lambda: 1, broken])
