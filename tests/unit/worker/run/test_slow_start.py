"""Test how fast a fresh worker takes up a backlog."""

import pytest

from tests.unit.worker.run.stand_ins import FakeClock
from worker.run.slow_start import FIRST, SlowStart


class Fresh:
    """A worker that is ready now, and the waits of its claims, which are all requested at the same time."""

    def __init__(self, concurrency: int = 200) -> None:
        self.clock = FakeClock()
        self.waits: list[float] = []
        self.slow_start = SlowStart(concurrency, clock=self.clock, sleep=self.waits.append)
        self.clock.now += 60  # the imports of a worker take seconds
        self.slow_start.start()

    def claim(self, number: int) -> list[float]:
        self.waits.clear()
        for _ in range(number):
            self.slow_start.wait()
        return list(self.waits)


def test_a_backlog_is_taken_up_in_doubling_steps() -> None:
    waits = Fresh().claim(200)
    claimed = [FIRST + sum(wait <= seconds for wait in waits) for seconds in (0, 0.25, 0.5, 0.75, 1.0, 1.25)]
    assert claimed == [8, 16, 32, 64, 128, 200]


@pytest.mark.parametrize("concurrency", [1, 8, 200, 2000])
def test_each_worker_is_full_within_three_seconds(concurrency: int) -> None:
    assert max(Fresh(concurrency).claim(concurrency), default=0) <= 3


def test_a_worker_without_a_backlog_delays_nothing() -> None:
    fresh = Fresh()
    assert fresh.claim(FIRST) == []
    fresh.clock.now += 1.25
    assert fresh.claim(500) == []


def test_a_stopping_worker_delays_nothing() -> None:
    fresh = Fresh()
    fresh.slow_start.stop()
    assert fresh.claim(500) == []
