"""Find turns whose ids name no partition, because they were accepted before their store was moved into a cluster."""

from typing import Any

import pytest

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.partition import turn_finder
from turns.backend.partition.tags import HOME
from turns.backend.partition.turn_finder import TurnFinder
from turns.domain.errors import StoreUnavailable
from turns.domain.ids import new_turn_id

OLD = new_turn_id()


class FakePartition(Client):
    """Has these keys, or is away; counts the commands that it gets."""

    def __init__(self, *names: str, moved: bool = False) -> None:
        super().__init__()
        self.names = {*names}
        self.is_moved = moved
        self.is_away = False
        self.commands = 0

    def execute_command(self, *args: Any, **_: Any) -> Any:
        self.commands += 1
        if self.is_away:
            raise StoreUnavailable("away")
        verb, *rest = args
        return int(self.is_moved) if verb == "HEXISTS" else len(self.names.intersection(rest))


def finder_with(*names: str, is_moved: bool = True) -> tuple[TurnFinder, list[FakePartition]]:
    partitions = [FakePartition(moved=is_moved), FakePartition(), FakePartition(*names)]
    return TurnFinder(partitions), partitions


def commands(partitions: list[FakePartition]) -> int:
    return sum(one.commands for one in partitions)


def test_an_id_with_a_partition_needs_no_command() -> None:
    finder, partitions = finder_with()
    assert finder.find_partition(new_turn_id(partition=1)) == 1
    assert commands(partitions) == 0


@pytest.mark.parametrize("name", [keys.TURN(OLD), keys.DELETED(OLD)])
def test_an_old_turn_is_found_and_then_remembered(name: str) -> None:
    finder, partitions = finder_with(name)
    assert finder.find_partition(OLD) == 2
    asked = commands(partitions)
    assert finder.find_partition(OLD) == 2
    assert commands(partitions) == asked


def test_no_partition_is_asked_if_nothing_was_moved() -> None:
    finder, partitions = finder_with(keys.TURN(OLD), is_moved=False)
    assert finder.find_partition(OLD) == 0
    assert commands(partitions) == 1


def test_an_unknown_turn_is_looked_for_again() -> None:
    finder, partitions = finder_with()
    assert finder.find_partition(OLD) == 0
    partitions[2].names.add(keys.TURN(OLD))
    assert finder.find_partition(OLD) == 2


@pytest.mark.parametrize("away", [HOME, 1])
def test_a_partition_that_is_away_hides_its_turns_alone(away: int) -> None:
    finder, partitions = finder_with(keys.TURN(OLD))
    partitions[away].is_away = True
    assert finder.find_partition(OLD) == 2
    with pytest.raises(StoreUnavailable):
        finder.find_partition(new_turn_id())


def test_few_turns_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn_finder, "MAX_KNOWN", 1)
    finder, partitions = finder_with(keys.TURN(OLD), keys.TURN(other := new_turn_id()))
    assert [finder.find_partition(one) for one in (OLD, other)] == [2, 2]
    asked = commands(partitions)
    assert finder.find_partition(OLD) == 2
    assert commands(partitions) > asked
