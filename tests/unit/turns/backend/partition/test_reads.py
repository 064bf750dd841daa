import contextvars
from collections.abc import Callable

import pytest

from turns.backend.partition.missing import collect_missing, missing_partitions, need_all_partitions
from turns.backend.partition.reads import AWAY_SECONDS, PartitionReads
from turns.domain.errors import StoreUnavailable

Call = Callable[[], str]


class Partition:
    """A partition that counts the calls to it."""

    def __init__(self) -> None:
        self.is_away = False
        self.calls = 0

    def read(self) -> str:
        self.calls += 1
        if self.is_away:
            raise StoreUnavailable("away")
        return "here"


@pytest.fixture
def clock() -> list[float]:
    return [100.0]


@pytest.fixture
def reads(clock: list[float]) -> PartitionReads:
    reads = PartitionReads()
    reads._clock = lambda: clock[0]
    return reads


@pytest.fixture
def partitions() -> list[Partition]:
    collect_missing()
    return [Partition() for _ in range(3)]


def calls(partitions: list[Partition]) -> dict[int, Call]:
    return {number: one.read for number, one in enumerate(partitions)}


def test_what_is_away_is_left_out_and_named(reads: PartitionReads, partitions: list[Partition]) -> None:
    partitions[1].is_away = True
    assert reads.read(calls(partitions)) == {0: "here", 2: "here"}
    assert missing_partitions() == (1,)
    assert reads.count_away() == 1
    collect_missing()
    assert missing_partitions() == ()


def test_a_partition_that_is_away_is_asked_every_two_seconds(
    reads: PartitionReads, partitions: list[Partition], clock: list[float]
) -> None:
    partitions[1].is_away = True
    for _ in range(5):
        reads.read(calls(partitions))
    assert (partitions[1].calls, partitions[2].calls) == (1, 5)
    partitions[1].is_away = False
    clock[0] += AWAY_SECONDS
    collect_missing()
    assert reads.read(calls(partitions)) == {0: "here", 1: "here", 2: "here"}
    assert (missing_partitions(), reads.count_away()) == ((), 0)


def test_one_of_many_readers_tries_a_partition_again(
    reads: PartitionReads, partitions: list[Partition], clock: list[float]
) -> None:
    partitions[1].is_away = True
    reads.read(calls(partitions))
    clock[0] += AWAY_SECONDS

    def read_twice() -> str:
        reads.read({2: partitions[2].read, 1: partitions[1].read})  # while this one waits for the answer
        return partitions[1].read()

    reads.read({1: read_twice, 2: partitions[2].read})
    assert partitions[1].calls == 2


def test_a_required_partition_is_always_asked(reads: PartitionReads, partitions: list[Partition]) -> None:
    partitions[0].is_away = True
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="away"):
            reads.read(calls(partitions), required={0})
    assert partitions[0].calls == 2


def test_nothing_is_read_without_any_partition(reads: PartitionReads, partitions: list[Partition]) -> None:
    for one in partitions:
        one.is_away = True
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            reads.read(calls(partitions))
    assert reads.read(calls(partitions), may_be_empty=True) == {}
    assert missing_partitions() == (0, 1, 2)


def test_an_act_on_all_partitions_is_refused_without_one(reads: PartitionReads, partitions: list[Partition]) -> None:
    with need_all_partitions():
        reads.read(calls(partitions))
    partitions[2].is_away = True
    with pytest.raises(StoreUnavailable, match="away"), need_all_partitions():
        reads.read(calls(partitions))
    assert missing_partitions() == ()


def test_without_a_collection_nothing_is_collected(reads: PartitionReads, partitions: list[Partition]) -> None:
    partitions[1].is_away = True
    assert contextvars.Context().run(lambda: (reads.read(calls(partitions)), missing_partitions())[1]) == ()
