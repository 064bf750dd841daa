"""A heartbeat stops when its file is not touched any more, whatever the clock of the file system says."""

import os
from pathlib import Path

import pytest

from supervisor.heartbeat import SUSPENDED_SECONDS, Heartbeat

MAX_SECONDS = 40.0


class Fixture:
    """A heartbeat and its file, on a clock that the test moves; time 0 of the clock is time 1000 of the file system."""

    def __init__(self, file: Path) -> None:
        self.now = 0.0
        self.file = file
        self.heartbeat = Heartbeat(file, max_seconds=MAX_SECONDS, clock=lambda: self.now)

    def touch(self, *, skew_seconds: float = 0) -> None:
        self.file.touch()
        at = 1000 + self.now + skew_seconds
        os.utime(self.file, (at, at))

    def watch(self, seconds: float) -> bool:
        """Check the heartbeat once a second for this time, and return whether it has stopped at the end."""
        for _ in range(int(seconds)):
            self.now += 1
            has_stopped = self.heartbeat.has_stopped()
        return has_stopped


@pytest.fixture
def fixture(tmp_path: Path) -> Fixture:
    return Fixture(tmp_path / "beat")


def test_a_process_that_is_still_starting_is_not_silent(fixture: Fixture) -> None:
    assert not fixture.watch(10 * MAX_SECONDS)


def test_a_file_that_is_not_touched_any_more_is_a_stop(fixture: Fixture) -> None:
    fixture.touch()
    assert not fixture.watch(MAX_SECONDS)
    assert fixture.watch(2)


@pytest.mark.parametrize("skew_seconds", [-3600.0, 0.0, 3600.0])
def test_each_touch_counts_on_any_clock(fixture: Fixture, skew_seconds: float) -> None:
    fixture.touch()
    assert not fixture.watch(MAX_SECONDS - 1)
    fixture.touch(skew_seconds=skew_seconds)
    assert not fixture.watch(MAX_SECONDS)


def test_the_file_of_an_earlier_process_does_not_count(fixture: Fixture) -> None:
    fixture.touch()
    assert fixture.watch(MAX_SECONDS + 2)
    fixture.heartbeat.reset()
    assert not fixture.watch(10 * MAX_SECONDS)


def test_a_suspended_supervisor_gives_its_children_time(fixture: Fixture) -> None:
    fixture.touch()
    fixture.watch(5)
    fixture.now += 100 * SUSPENDED_SECONDS
    assert not fixture.heartbeat.has_stopped()
    assert not fixture.watch(MAX_SECONDS)
    assert fixture.watch(2)
