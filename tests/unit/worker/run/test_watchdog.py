"""Test when the watchdog ends a process, what it logs, and which turns it releases."""

import faulthandler
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.unit.worker.run.stand_ins import FakeClock, FakeStore, make_claim
from turns.config.settings import Pool, Settings
from turns.domain.errors import StoreUnavailable
from turns.domain.run.claim import Claim
from worker.run.active_runs import ActiveRun, ActiveRuns
from worker.run.interrupt import interrupter
from worker.run.watchdog import CHECKS, STALLED_EXIT_CODE, StalledProcess, Watchdog


class Loop:
    """An event loop that calls functions only while it turns."""

    def __init__(self) -> None:
        self.turns = True
        self._waiting: list[Callable[[], None]] = []

    def call(self, function: Callable[[], None]) -> None:
        self._waiting.append(function)
        if self.turns:
            while self._waiting:
                self._waiting.pop()()


class Fixture:
    def __init__(self, directory: Path) -> None:
        self.loop = Loop()
        self.ended = 0
        self.beat_file = directory / "beat"
        self.watchdog = Watchdog(
            stall_seconds=10, call_in_loop=self.loop.call, end=self.end, beat_file=str(self.beat_file)
        )

    def end(self) -> None:
        self.ended += 1

    def check(self, times: int) -> None:
        for _ in range(times):
            self.watchdog.check()


@pytest.fixture
def fixture(tmp_path: Path) -> Fixture:
    return Fixture(tmp_path)


def test_a_loop_that_turns_is_left_alone(fixture: Fixture) -> None:
    fixture.check(10 * CHECKS)
    assert fixture.ended == 0


def test_a_loop_that_stands_still_for_the_stall_time_ends(fixture: Fixture) -> None:
    fixture.check(3)
    fixture.loop.turns = False
    fixture.check(CHECKS)
    assert fixture.ended == 0, "the loop has answered the last request before"
    fixture.check(1)
    assert fixture.ended == 1


def test_a_late_answer_begins_a_new_stall_time(fixture: Fixture) -> None:
    for _ in range(5):
        fixture.loop.turns = False
        fixture.check(CHECKS - 1)
        fixture.loop.turns = True
        fixture.check(2)
    assert fixture.ended == 0


def test_the_heartbeat_file_is_touched_while_the_loop_turns(fixture: Fixture) -> None:
    fixture.check(1)
    assert fixture.beat_file.exists()
    fixture.loop.turns = False
    fixture.check(1)
    fixture.beat_file.unlink()
    fixture.check(CHECKS // 2)
    assert not fixture.beat_file.exists()


def test_an_unwritable_heartbeat_file_ends_nothing(fixture: Fixture, tmp_path: Path) -> None:
    Watchdog(
        stall_seconds=10, call_in_loop=fixture.loop.call, end=fixture.end, beat_file=str(tmp_path / "no" / "beat")
    ).check()
    assert fixture.ended == 0


def test_the_thread_arms_the_backstop_and_disarms_it(fixture: Fixture, monkeypatch: pytest.MonkeyPatch) -> None:
    timers: list[tuple[float, bool]] = []
    done = threading.Event()

    def arm(seconds: float, **options: bool) -> None:
        timers.append((seconds, options["exit"]))

    def sleep(_: float) -> None:
        if len(timers) == 3:
            thread.stop()

    monkeypatch.setattr(faulthandler, "dump_traceback_later", arm)
    monkeypatch.setattr(faulthandler, "cancel_dump_traceback_later", done.set)
    thread = Watchdog(stall_seconds=10, call_in_loop=fixture.loop.call, end=fixture.end, sleep=sleep)
    thread.start()
    assert done.wait(10)
    assert timers == [(30.0, True)] * 3


class Process:
    """A process whose loop is the thread of the test, with two runs; `blocking` is the run that executes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(signal, "alarm", lambda _: None)
        self.store = FakeReleases()
        self.runs = ActiveRuns(FakeStore(), interrupter(Pool.THREADS), clock=FakeClock())  # type: ignore[arg-type]  # a stand-in
        self.exits: list[int] = []

    def end(self, execute: Callable[[ActiveRun, Callable[[], None]], None]) -> tuple[Claim, Claim, Any]:
        """Let the first of two runs execute this function, which ends the process from another thread.

        Return both claims and the log.
        """
        stalled = StalledProcess(self.runs, self.store, exit_process=self.exits.append)
        one, other = make_claim(), make_claim()
        with self.runs.hold(one, Settings()), self.runs.hold(other, Settings()), capture_logs() as logs:
            execute(self.runs._runs[one.token], stalled.end)
        return one, other, logs


class FakeReleases:
    def __init__(self) -> None:
        self.released: list[str] = []
        self.is_available = True

    def release(self, claims: Sequence[Claim]) -> None:
        if not self.is_available:
            raise StoreUnavailable("gone")
        self.released += [claim.turn_id for claim in claims]


def block(active: ActiveRun, end: Callable[[], None]) -> None:
    """Stand in for the code of a run, which knows its run."""
    in_another_thread(end)
    assert active


def do_something_else(_: ActiveRun, end: Callable[[], None]) -> None:
    del _
    in_another_thread(end)


def in_another_thread(function: Callable[[], None]) -> None:
    thread = threading.Thread(target=function)
    thread.start()
    thread.join(10)


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Process:
    return Process(monkeypatch)


def test_a_stalled_process_exits_with_its_own_code(process: Process) -> None:
    process.end(block)
    assert process.exits == [STALLED_EXIT_CODE]


def test_only_the_turn_that_blocks_the_loop_is_not_released(process: Process) -> None:
    _, other, _ = process.end(block)
    assert process.store.released == [other.turn_id]


def test_no_turn_is_released_if_none_is_known_to_block(process: Process) -> None:
    *_, logs = process.end(do_something_else)
    assert process.store.released == []
    assert process.exits == [STALLED_EXIT_CODE]
    assert logs[0]["turn_id"] is None


def test_an_unavailable_store_delays_no_exit(process: Process) -> None:
    process.store.is_available = False
    process.end(block)
    assert process.exits == [STALLED_EXIT_CODE]


def test_the_log_names_turn_and_code_but_no_values(process: Process) -> None:
    one, _, [log] = process.end(block)
    assert (log["event"], log["turn_id"]) == ("worker.stalled", one.turn_id)
    assert any(location.endswith(" block") and "test_watchdog.py:" in location for location in log["stack"])
    assert any(stack[-1].endswith(" end") for stack in log["other_threads"])
    assert "hello" not in str(log)
    assert one.token not in str(log)
