"""Many callers share one read, but never one that started before they asked."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest

from tests.support.waiting import wait_until
from turns.domain.errors import TurnNotFound
from turns.domain.turn import Turn
from web.streaming.single_flight import SingleFlight


class Source:
    """A store that answers a read with its number when the gate is open."""

    def __init__(self) -> None:
        self.begun = 0
        self.gate = threading.Event()

    def read(self, turn_id: str, *, tenant: str) -> Turn:
        self.begun += 1
        number = self.begun
        self.gate.wait(10)
        return cast(Turn, number)


def test_callers_during_a_read_share_the_next_one() -> None:
    source = Source()
    reads = SingleFlight(source.read)
    with ThreadPoolExecutor(20) as pool:
        first = pool.submit(reads.get_turn, "t", tenant="-")
        wait_until("the first read runs", lambda: source.begun == 1)
        others = [pool.submit(reads.get_turn, "t", tenant="-") for _ in range(19)]
        source.gate.set()
        assert cast(Any, first.result()) == 1
        assert {cast(Any, other.result()) for other in others} <= {2, 3}
    assert source.begun <= 3


def test_different_turns_do_not_wait_for_each_other() -> None:
    source = Source()
    reads = SingleFlight(source.read)
    with ThreadPoolExecutor(2) as pool:
        results = [pool.submit(reads.get_turn, turn, tenant="-") for turn in "ab"]
        wait_until("both reads run", lambda: source.begun == 2)
        source.gate.set()
        assert {cast(Any, result.result()) for result in results} == {1, 2}


def test_an_error_reaches_all_callers_and_is_not_kept() -> None:
    def missing(turn_id: str, *, tenant: str) -> Turn:
        raise TurnNotFound

    reads = SingleFlight(missing)
    for _ in range(2):
        with pytest.raises(TurnNotFound):
            reads.get_turn("t", tenant="-")
