"""Wait for a turn in a process that waits, and in one that does not."""

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.records import record
from turns.domain.state import Status
from turns.domain.turn import Turn
from web.surfaces import ended_turn
from web.surfaces.ended_turn import wait_for_end

RUNNING = Turn.from_record("turn_1", record(Status.IN_PROGRESS))
ENDED = replace(RUNNING, status=Status.COMPLETED)


class LongPolls:
    """Each wait takes a given part of its time, on a clock that only waits advance."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *waits: tuple[float, Turn]) -> None:
        self.now = 0.0
        self._waits: Iterator[tuple[float, Turn]] = iter(waits)
        monkeypatch.setattr(ended_turn, "time", SimpleNamespace(monotonic=lambda: self.now))

    def wait_for_turn(self, turn_id: str, *, tenant: str, wait_seconds: float) -> Turn:
        part, turn = next(self._waits)
        self.now += part * wait_seconds
        return turn


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Any:
    def wait(*waits: tuple[float, Turn]) -> tuple[Turn, float]:
        long_polls: Any = LongPolls(monkeypatch, *waits)
        return wait_for_end(long_polls, RUNNING, deadline=70), long_polls.now

    return wait


def test_a_turn_is_awaited_to_the_deadline(wait: Any) -> None:
    assert wait((1, RUNNING), (1, RUNNING), (1, RUNNING)) == (RUNNING, 70)
    assert wait((1, RUNNING), (0.5, ENDED)) == (ENDED, 45)


def test_a_process_that_does_not_wait_is_asked_once(wait: Any) -> None:
    assert wait((0, RUNNING)) == (RUNNING, 0)
