"""Two installations share one store: apart with a namespace, and refused or noticed without one."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_community.chat_message_histories import RedisChatMessageHistory

from tests.support.processes import Stack
from tests.support.server import Server
from tests.support.waiting import wait_until
from tools import ROOT


class SharedStore:
    """A store that a stack neither starts nor stops."""

    def __init__(self, server: Server) -> None:
        self.url = server.url
        self.raw: Any = server.raw

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def kill(self) -> None: ...


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[SharedStore]:
    server = Server(tmp_path)
    server.start()
    yield SharedStore(server)
    server.stop()


def run(stack: Stack, *module: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **stack.environment, **environment}
    command = [sys.executable, "-m", *module]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=30, check=False)


def test_two_namespaces_keep_equal_sessions_apart(start: Callable[..., Stack], shared: SharedStore) -> None:
    blue, plain = start(store=shared, INTURN_NAMESPACE="blue"), start(store=shared)
    for number in range(5):
        for name, stack in (("blue", blue), ("plain", plain)):
            stack.submit("s", f"{name} {number}")
    stopped, kept = (stack.submit("t", "[gate end]") for stack in (blue, plain))
    for stack, turn in ((blue, stopped), (plain, kept)):
        stack.wait_until_running(turn)
    blue.open_gate("end")
    assert blue.wait_until_finished(stopped)["status"] == "completed"
    assert plain.turn(kept)["status"] == "in_progress"
    plain.open_gate("end")
    plain.wait_until_finished(kept)
    for name, stack in (("blue", blue), ("plain", plain)):
        wait_until(f"{name} has answered", lambda stack=stack: len(stack.messages("s")) == 10)  # type: ignore[misc]  # mypy cannot infer it
        asked = [message["content"] for message in stack.messages("s") if message["role"] == "user"]
        assert asked == [f"{name} {number}" for number in range(5)]
        assert len(stack.model_requests()) == 6
        assert stack.live_workers() == 1
    stored = RedisChatMessageHistory("s", url=shared.url, key_prefix="blue:message_store:").messages
    assert stored[0].content == "blue 0"
    names = {re.sub(r"^_kombu\.\w+\.", "", name.decode()) for name in shared.raw.scan_iter()}
    ours = ("blue:inturn:", "blue:message_store:", "inturn:", "message_store:")
    assert [name for name in names if not name.startswith(ours)] == []
    assert ", namespace blue" in run(blue, "supervisor.doctor").stdout


def test_other_histories_and_models_on_one_store_are_noticed(
    start: Callable[..., Stack], shared: SharedStore, tmp_path: Path
) -> None:
    stack = start(store=shared)
    for module in ("web", "worker"):
        refused = run(stack, module, INTURN_HISTORY=f"file:{tmp_path}")
        assert refused.returncode == 2
        assert refused.stderr.splitlines()[-1].startswith("INTURN_HISTORY: the histories of this store are kept in the")
    stack.environment["INTURN_MODEL"] = "another-model"
    stack.workers.append(stack.start_worker())
    stack.wait_until_ready(workers=2)
    wait_until("it is logged", lambda: "workers.differ" in stack.logs())
    assert "Workers have different default models. 1 worker: " in run(stack, "supervisor.doctor").stdout
