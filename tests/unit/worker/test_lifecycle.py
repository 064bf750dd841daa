"""Test what happens at the start, the drain and the end of a worker process."""

from collections.abc import Iterator
from typing import Any

import pytest
from celery import signals
from structlog.testing import capture_logs

from tests.support.waiting import wait_until
from turns.config.version import VERSION
from turns.domain.errors import StoreUnavailable
from worker.lifecycle import Lifecycle

SIGNALS = (signals.worker_ready, signals.worker_shutting_down, signals.worker_shutdown)


class Recorder:
    """Stands in for all parts of the worker, and records the calls in order."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.error_of: dict[str, Exception] = {}
        self.stopped_turns: list[str | None] = []

    def call(self, name: str) -> None:
        self.calls.append(name)
        if error := self.error_of.get(name):
            raise error

    def start(self) -> None:
        self.call("start")

    def stop(self) -> None:
        self.call("stop")

    def drain(self) -> None:
        self.call("drain")

    def report_draining(self) -> None:
        self.call("report draining")

    def leave(self) -> None:
        self.call("leave")

    def renew(self) -> None:
        self.call("renew")

    def stop_turn(self, turn_id: str) -> None:
        self.call(f"stop {turn_id}")

    def release_all(self) -> None:
        self.call("release all")


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture(autouse=True)
def lifecycle(recorder: Recorder) -> Iterator[None]:
    """Connect a lifecycle to Celery's signals for the time of a test."""
    before = [list(signal.receivers or ()) for signal in SIGNALS]
    part: Any = recorder
    Lifecycle(
        part,
        part,
        [part, part],
        on_drain=recorder.report_draining,
        leave=recorder.leave,
        name="w",
        model="m",
        stopped_turns=lambda: iter(recorder.stopped_turns),
        grace_seconds=0,
    ).follow_celery()
    yield
    signals.worker_shutting_down.send(sender=None)  # ends the thread that waits for the grace period
    for signal, receivers in zip(SIGNALS, before, strict=True):
        signal.receivers = receivers


def test_the_loops_start_before_the_worker_is_ready(recorder: Recorder) -> None:
    with capture_logs() as logs:
        signals.worker_ready.send(sender=None)
    assert recorder.calls == ["start", "start"]
    assert logs == [
        {"event": "worker.ready", "log_level": "info", "version": VERSION, "worker": "w", "model": "m"},
    ]


def test_stopped_turns_are_stopped_and_a_gap_renews_all(recorder: Recorder) -> None:
    recorder.stopped_turns = [None, "turn_1", "turn_2"]
    signals.worker_ready.send(sender=None)
    wait_until("all are stopped", lambda: "stop turn_2" in recorder.calls)
    assert recorder.calls[2:] == ["renew", "stop turn_1", "stop turn_2"]


def test_draining_starts_no_turn_and_releases_the_others_later(recorder: Recorder) -> None:
    signals.worker_ready.send(sender=None)
    assert "release all" not in recorder.calls
    with capture_logs() as logs:
        signals.worker_shutting_down.send(sender=None)
    wait_until("all are released", lambda: "release all" in recorder.calls)
    assert recorder.calls[2:] == ["drain", "report draining", "release all"]
    assert [log["event"] for log in logs] == ["worker.draining"]


def test_at_the_end_the_loops_stop_and_the_worker_leaves(recorder: Recorder) -> None:
    signals.worker_shutdown.send(sender=None)
    assert recorder.calls == ["stop", "stop", "leave"]


def test_an_unavailable_store_does_not_disturb_the_end(recorder: Recorder) -> None:
    recorder.error_of["leave"] = StoreUnavailable()
    signals.worker_shutdown.send(sender=None)
    assert recorder.calls == ["stop", "stop", "leave"]


def test_an_unavailable_store_does_not_end_the_watch_for_stopped_turns(recorder: Recorder) -> None:
    recorder.error_of["stop turn_1"] = StoreUnavailable()
    recorder.stopped_turns = ["turn_1", "turn_2"]
    signals.worker_ready.send(sender=None)
    wait_until("both were tried", lambda: recorder.calls[2:] == ["stop turn_1", "stop turn_2"])
