"""Silence in the middle of an answer, with a clock that tests move."""

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from tests.unit.worker.run.stand_ins import make_claim
from turns.domain.run.claim import Claim
from worker.run.silence_watch import SilenceWatch

CLAIM = make_claim()


@dataclass
class FakeRuns:
    quiet: dict[str, float] = field(default_factory=dict)

    def find_quiet_seconds(self) -> list[tuple[Claim, float]]:
        return [(CLAIM, seconds) for seconds in self.quiet.values()]


@dataclass
class FakeStore:
    written: list[tuple[bool, float]] = field(default_factory=list)

    def record_silence(self, claim: Claim, *, is_silent: bool, since_seconds: float) -> None:
        assert claim is CLAIM
        self.written.append((is_silent, since_seconds))


@pytest.fixture
def runs() -> FakeRuns:
    return FakeRuns()


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def watch(runs: FakeRuns, store: FakeStore) -> SilenceWatch:
    return SilenceWatch(cast(Any, runs), cast(Any, store))


def test_a_silence_is_written_when_it_begins_and_when_it_ends(
    watch: SilenceWatch, runs: FakeRuns, store: FakeStore
) -> None:
    for seconds in (0.0, 4.9, 6.0, 30.0, 0.5, 1.5):
        runs.quiet = {"run": seconds}
        watch.check()
    assert store.written == [(True, 6.0), (False, 0.5)]


def test_a_run_that_ends_silent_needs_no_further_write(watch: SilenceWatch, runs: FakeRuns, store: FakeStore) -> None:
    for quiet in ({"run": 6.0}, {}, {"run": 0.0}):
        runs.quiet = quiet
        watch.check()
    assert store.written == [(True, 6.0)]
