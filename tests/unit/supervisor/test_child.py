"""A child process is restarted when it exits, and killed when it does not stop."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from supervisor.child import Child
from supervisor.heartbeat import Heartbeat
from tests.support.waiting import wait_until


@pytest.fixture
def start() -> Iterator[Callable[[str], Child]]:
    """Start a child that runs this Python code; it is killed after the test."""
    children: list[Child] = []

    def start(code: str) -> Child:
        child = Child("a child", [sys.executable, "-c", code], os.environ)
        children.append(child)
        child.start()
        return child

    yield start
    for child in children:
        child.kill()


def test_a_child_that_exits_early_is_restarted_after_a_delay(
    start: Callable[[str], Child], capsys: pytest.CaptureFixture[str]
) -> None:
    child = start("raise SystemExit(3)")
    first = child.pid
    wait_until("it has exited", lambda: not child.is_running)
    child.keep_running()
    assert "a child exited with code 3; restarting in 0.5 s" in capsys.readouterr().out
    assert child.pid == first
    wait_until("it has been restarted", lambda: restarted(child) != first)


def test_a_child_that_has_worked_is_restarted_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    beat = Heartbeat(tmp_path / "beat", max_seconds=60)
    code = f"import pathlib; pathlib.Path({str(beat.file)!r}).touch(); raise SystemExit(70)"
    child = Child("a child", [sys.executable, "-c", code], os.environ, heartbeat=beat)
    child.start()
    try:
        for _ in range(3):
            wait_until("it has exited", lambda: not child.is_running)
            assert child.keep_running()
        assert capsys.readouterr().out.count("restarting in 0 s") == 3
    finally:
        child.kill()


def restarted(child: Child) -> int | None:
    child.keep_running()
    return child.pid


def test_exit_code_2_means_a_wrong_configuration(start: Callable[[str], Child]) -> None:
    children = [start(f"raise SystemExit({code})") for code in (2, 1)]
    wait_until("both have exited", lambda: not any(child.is_running for child in children))
    assert [child.is_misconfigured for child in children] == [True, False]


def test_a_child_that_does_not_stop_in_time_is_killed(start: Callable[[str], Child], tmp_path: Path) -> None:
    is_ready = tmp_path / "ready"
    child = start(
        "import pathlib, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"pathlib.Path({str(is_ready)!r}).touch()\n"
        "time.sleep(60)"
    )
    wait_until("it ignores the signal", is_ready.exists)
    child.terminate()
    child.wait(0.1)
    assert not child.is_running


def test_a_child_whose_heartbeat_stops_is_killed_and_restarted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    beat = Heartbeat(tmp_path / "beat", max_seconds=0.2)
    code = f"import pathlib, time; pathlib.Path({str(beat.file)!r}).touch(); time.sleep(60)"
    child = Child("a child", [sys.executable, "-c", code], os.environ, heartbeat=beat)
    child.start()
    first = child.pid
    try:
        wait_until("another one runs", lambda: restarted(child) != first)
    finally:
        child.kill()
    assert "a child has sent no heartbeat for 0.2 s; killing it" in capsys.readouterr().out


def test_a_child_may_have_to_wait_for_its_restart(start: Callable[[str], Child]) -> None:
    child = start("raise SystemExit(3)")
    first = child.pid
    wait_until("it has exited", lambda: not child.is_running)
    wait_until("its delay is over", lambda: not child.keep_running(may_start=False) and is_due(child))
    assert child.pid == first
    assert child.keep_running()
    assert child.pid != first


def is_due(child: Child) -> bool:
    return child._restart_at is not None and child._restart_at <= time.monotonic()
