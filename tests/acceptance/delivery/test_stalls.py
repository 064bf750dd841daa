"""A chain that blocks its worker for ever costs the worker, not the turns beside it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from langchain_core.runnables import Runnable, RunnableLambda

from tests.support.processes import Stack
from tests.support.waiting import wait_until
from worker.run.watchdog import STALLED_EXIT_CODE

FILE = """
[assistants.default]
[assistants.blocking]
chain = "tests.acceptance.delivery.test_stalls:build_blocking"
runs_in = "loop"
"""


def build_blocking() -> Runnable[dict[str, Any], str]:
    """Return a chain that reads from a pipe into which nothing is written."""
    return RunnableLambda(lambda _: str(os.read(os.pipe()[0], 1)))


def test_a_blocked_worker_exits_and_its_turns_run_elsewhere(start: Callable[..., Stack], tmp_path: Path) -> None:
    (tmp_path / "assistants.toml").write_text(FILE)
    stack = start(
        workers=1,
        INTURN_ASSISTANTS=str(tmp_path / "assistants.toml"),
        INTURN_STALL_SECONDS="1",
        INTURN_BEAT_FILE=str(tmp_path / "beat"),
    )
    wait_until("the worker touches its heartbeat file", (tmp_path / "beat").exists)
    innocent = stack.submit("s", "hello [gate go]")
    stack.wait_until_running(innocent)
    stack.submit("other", "hello", assistant="blocking")
    [worker] = stack.workers
    wait_until("the worker has ended", lambda: not worker.is_running)
    assert worker.stop() == STALLED_EXIT_CODE
    assert stack.turn(innocent)["status"] == "queued"
    assert stack.turn(innocent)["attempt"] == 1
