"""Test that a loop survives every failure of its step, and stops."""

import threading

from structlog.testing import capture_logs

from tests.support.waiting import wait_until
from turns.domain.errors import StoreUnavailable
from worker.run.periodic import Loop


def test_a_loop_goes_on_after_each_failure() -> None:
    errors = iter([StoreUnavailable("gone"), ValueError("a bug")])
    done = threading.Event()

    def step() -> None:
        if error := next(errors, None):
            raise error
        done.set()

    loop = Loop("step", step, every_seconds=0.001)
    with capture_logs() as logs:
        loop.start()
        assert done.wait(10)
        loop.stop()
    assert [log["event"] for log in logs] == ["store.unavailable", "loop.broken"]
    assert (logs[0]["error"], logs[1]["loop"]) == ("gone", "step")


def test_a_stopped_loop_makes_no_further_step() -> None:
    steps: list[None] = []
    loop = Loop("step", lambda: steps.append(None), every_seconds=3600)
    loop.start()
    wait_until("the first step is done", lambda: steps)
    loop.stop()
    wait_until("the thread has ended", lambda: "step" not in {thread.name for thread in threading.enumerate()})
    assert len(steps) == 1


def test_the_interval_may_change_from_step_to_step() -> None:
    steps: list[None] = []
    intervals = iter([0.001, 0.001])
    loop = Loop("step", lambda: steps.append(None), every_seconds=lambda: next(intervals, 3600.0))
    loop.start()
    wait_until("all short intervals are over", lambda: len(steps) == 3)
    loop.stop()
