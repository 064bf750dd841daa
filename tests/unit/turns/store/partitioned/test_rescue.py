import pytest

from turns.store.partitioned.rescue import MAX_ROUNDS, Rotation


@pytest.mark.parametrize(("workers", "rounds"), [(0, 1), (1, 1), (7, 1), (8, 2), (12, 3), (20, 5), (100, 5)])
def test_each_partition_is_checked_once_in_these_rounds(workers: int, rounds: int) -> None:
    rotation = Rotation(24)
    checked = [number for _ in range(rounds) for number in rotation.next_partitions(workers=workers)]
    assert sorted(checked) == sorted([0] * (rounds - 1) + list(range(24)))


def test_each_round_has_the_home_partition() -> None:
    rotation = Rotation(24)
    assert all(0 in rotation.next_partitions(workers=100) for _ in range(MAX_ROUNDS))
