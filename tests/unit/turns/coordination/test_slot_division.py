import random

import pytest

from turns.coordination.slot_division import STAY_MS, SlotView, divide, find_limit


def view(slots: int | None = None, of: int = 4, *, used: int = 0, waiting: int = 0, waited_ms: int = 0) -> SlotView:
    given = "" if slots is None else f"{slots}|{of}"
    concurrency = str(of) if waiting else ""
    return SlotView(given=given, used=used, waiting=waiting, waited_ms=waited_ms, concurrency=concurrency)


def test_without_a_turn_that_waits_nothing_moves() -> None:
    views = {0: view(4, used=2), 1: view(0), 2: view(0)}
    assert find_limit(views) is None
    assert divide(4, views) == {}


def test_a_free_slot_moves_to_the_turn_that_waits() -> None:
    assert divide(4, {0: view(4, used=2), 1: view(0, waiting=1), 2: view(0)}) == {0: 3, 1: 1, 2: 0}


def test_a_turn_that_waits_for_the_end_of_another_takes_nothing() -> None:
    """Let it wait for its own partition, which has slots for it and dispatches it."""
    assert divide(4, {0: view(4, used=3, waiting=1), 1: view(0)}) == {}


def test_partitions_get_slots_as_they_need_them() -> None:
    views = {0: view(4, used=4, waiting=8, waited_ms=9), 1: view(0, waiting=4, waited_ms=5), 2: view(0)}
    assert divide(4, views) == {0: 3, 1: 1, 2: 0}


def test_the_longest_wait_gets_what_cannot_be_divided() -> None:
    waits = {n: view(0, of=1, waiting=1, waited_ms=100 * n) for n in range(5)}
    assert divide(1, waits) == {0: 0, 1: 0, 2: 0, 3: 0, 4: 1}


@pytest.mark.parametrize(("waited_ms", "stays"), [(STAY_MS - 1, 1), (STAY_MS + 1, 0)])
def test_a_slot_stays_for_a_while_where_turns_wait(waited_ms: int, stays: int) -> None:
    views = {0: view(1, of=1, used=1, waiting=3), 1: view(0, of=1, waiting=3, waited_ms=waited_ms)}
    assert divide(1, views) == {0: stays, 1: 1 - stays}


def test_a_lowered_limit_begins_with_equal_parts() -> None:
    views = {0: view(9, of=9), 1: view(of=4, waiting=3)}
    assert [one.slots(4, 2) for one in views.values()] == [2, 2]
    assert divide(4, views) == {0: 1, 1: 3}


def test_a_raised_limit_begins_with_the_present_parts() -> None:
    views = {0: view(1, of=2), 1: view(0, of=2), 2: view(of=2)}
    assert [one.slots(30, 24) for one in views.values()] == [1, 0, 1]


def test_all_parts_together_are_the_limit() -> None:
    rng = random.Random(1)
    for _ in range(2000):
        limit, count = rng.randint(1, 60), rng.randint(1, 24)
        views = {
            n: view(of=limit, used=rng.randint(0, 4), waiting=rng.randint(0, 9), waited_ms=rng.randint(0, 9999))
            for n in range(count)
        }
        parts = divide(limit, views)
        assert not parts or sum(parts.values()) == limit
        assert all(part >= 0 for part in parts.values())
