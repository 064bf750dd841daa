"""A store without room refuses new turns and loses none; turns run again once there is room."""

import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.processes import HttpResponse, Stack, call, turn_request
from tests.support.server import Server
from tests.support.waiting import wait_until

EVERY_SECOND = ("--appendonly", "yes", "--appendfsync", "everysec", "--save", "")


def try_to_submit(stack: Stack, session_id: str) -> HttpResponse:
    return call(f"{stack.url}/v1/turns", method="POST", body=turn_request(session_id, "too much"))


def start_turn(stack: Stack) -> str:
    """Start a turn that runs until the gate `go` opens."""
    turn_id = stack.submit("running", "hello [gate go]")
    stack.wait_until_running(turn_id)
    return turn_id


def is_refused(response: HttpResponse) -> bool:
    return response.status == 503 and "nothing was stored" in response.body["detail"]


def limit_file_size(pid: int, size: int) -> None:
    """Let the process write no file beyond this size, which it sees like a full disk."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_a_store_without_memory_still_commits_running_turns(start: Callable[..., Stack]) -> None:
    stack = start(workers=1)
    turn_id, behind = start_turn(stack), stack.submit("running", "next")
    stack.store.raw.config_set("maxmemory", stack.store.raw.info("memory")["used_memory"] - 100_000)
    assert is_refused(try_to_submit(stack, "refused"))
    ready = call(f"{stack.url}/readyz")
    assert (ready.status, ready.body["status"]) == (503, "refusing")
    assert "maxmemory" in ready.body["refusal"]
    assert "maxmemory" in call(f"{stack.url}/operator/stats.json").body["store_refusal"]
    stack.open_gate("go")
    assert [stack.wait_until_finished(turn)["status"] for turn in (turn_id, behind)] == ["completed"] * 2
    stack.store.raw.config_set("maxmemory", 0)
    assert stack.wait_until_finished(stack.submit("refused", "hello"))["status"] == "completed"
    assert call(f"{stack.url}/readyz").body["status"] == "ok"
    assert len(stack.messages("refused")) == 2, "the refused turn left no messages"


@pytest.mark.parametrize("pool", ["gevent", "threads"])
def test_running_turns_commit_after_a_full_disk_is_freed(
    start: Callable[..., Stack], tmp_path: Path, pool: str
) -> None:
    """With `everysec` the store keeps running, and refuses writes once it has noticed the full disk."""
    server = Server(tmp_path, options=EVERY_SECOND)
    stack = start(workers=1, store=server, INTURN_POOL=pool)
    turn_id = start_turn(stack)
    limit_file_size(server.pid, server.append_only_file.stat().st_size)
    wait_until("the store notices the full disk", lambda: is_refused(try_to_submit(stack, "s")))
    stack.open_gate("go")
    wait_until("the worker fails to commit", lambda: '"store.unavailable"' in stack.logs())
    assert stack.turn(turn_id)["status"] == "in_progress", "reads still work"

    limit_file_size(server.pid, resource.RLIM_INFINITY)
    assert stack.wait_until_finished(turn_id)["status"] == "completed"
    assert stack.wait_until_finished(stack.submit("s", "hello"))["status"] == "completed"


def test_a_store_that_stops_on_a_full_disk_keeps_all_turns(start: Callable[..., Stack]) -> None:
    """With `always` the store cannot guarantee durability and exits; a supervisor restarts it when there is room."""
    stack = start(workers=1)
    store = stack.store
    assert isinstance(store, Server)
    turn_id = start_turn(stack)
    limit_file_size(store.pid, store.append_only_file.stat().st_size + 100)
    assert try_to_submit(stack, "s").status == 503
    wait_until("the store has exited", lambda: not store.is_reachable())
    store.start()
    stack.open_gate("go")
    assert stack.wait_until_finished(turn_id)["status"] == "completed"
    assert stack.wait_until_finished(stack.submit("s", "hello"))["status"] == "completed"
    assert len(stack.messages("s")) == 2, "the refused turn left no messages"
