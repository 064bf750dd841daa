"""A process whose loop is blocked ends by itself, whatever blocks it."""

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.support.server import Server
from tools import ROOT
from turns.domain.state import Status
from turns.domain.turn import Turn
from turns.store.turns import TurnStore
from worker.run.watchdog import STALLED_EXIT_CODE


@pytest.fixture
def run(server: Server) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs a worker process until it ends."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tests.integration.worker.run.stalled_worker", server.url, *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    return run


def test_a_blocked_system_call_ends_the_process(
    accept: Callable[..., Turn], store: TurnStore, run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    blocking, waiting = accept(session_id="a"), accept(session_id="b")
    ended = run(blocking.id, waiting.id, "system_call")
    assert ended.returncode == STALLED_EXIT_CODE, ended.stderr
    [log] = [json.loads(line) for line in ended.stderr.splitlines() if "worker.stalled" in line]
    assert log["turn_id"] == blocking.id
    assert "stalled_worker.py" in log["stack"][-1]
    assert store.get_turn(waiting.id).status is Status.QUEUED, "released at once"
    assert store.get_turn(blocking.id).status is Status.IN_PROGRESS, "rescued later, at its own cost"


def test_code_that_keeps_the_interpreter_ends_the_process(
    accept: Callable[..., Turn], run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    blocking, waiting = accept(session_id="a"), accept(session_id="b")
    ended = run(blocking.id, waiting.id, "interpreter")
    assert ended.returncode == 1, ended.stderr
    assert "Timeout (0:00:03)!" in ended.stderr
    assert "in execute" in ended.stderr
