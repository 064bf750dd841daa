"""A store that has no room: it takes no new turn, keeps what it has, and the work goes on when there is room again."""

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


def running(stack: Stack) -> str:
    turn_id = stack.submit("running", "hello [gate go]")
    wait_until("the turn runs", lambda: stack.turn(turn_id)["status"] == "in_progress")
    return turn_id


def is_refused(answer: HttpResponse) -> bool:
    return answer.status == 503 and "nothing was stored" in answer.body["detail"]


def test_without_memory_no_turn_is_accepted_and_running_ones_commit(start: Callable[..., Stack]) -> None:
    stack = start(workers=1)
    turn_id, behind = running(stack), stack.submit("running", "next")
    stack.store.raw.config_set("maxmemory", stack.store.raw.info("memory")["used_memory"] - 1)
    assert is_refused(try_to_submit(stack, "refused"))
    stack.open_gate("go")
    assert [stack.wait_until_finished(turn)["status"] for turn in (turn_id, behind)] == ["completed"] * 2
    stack.store.raw.config_set("maxmemory", 0)
    assert stack.wait_until_finished(stack.submit("refused", "hello"))["status"] == "completed"
    assert len(stack.messages("refused")) == 2, "what was refused left nothing"


@pytest.mark.parametrize("pool", ["gevent", "threads"])
def test_on_a_full_disk_no_turn_is_accepted_and_running_ones_commit_later(
    start: Callable[..., Stack], tmp_path: Path, pool: str
) -> None:
    """With `everysec`: the store goes on, and refuses to write once it has noticed."""
    server = Server(tmp_path, options=EVERY_SECOND)
    stack = start(workers=1, store=server, INTURN_POOL=pool)
    turn_id = running(stack)
    set_largest_file(server.pid, server.append_only_file.stat().st_size)
    wait_until("the store notices", lambda: is_refused(try_to_submit(stack, "s")))
    stack.open_gate("go")
    wait_until("the worker cannot commit", lambda: '"store.unavailable"' in stack.logs())
    assert stack.turn(turn_id)["status"] == "in_progress", "reading goes on"

    set_largest_file(server.pid, resource.RLIM_INFINITY)
    assert stack.wait_until_finished(turn_id)["status"] == "completed"
    assert stack.wait_until_finished(stack.submit("s", "hello"))["status"] == "completed"


def test_a_durable_store_that_ends_on_a_full_disk_has_all_that_was_accepted(start: Callable[..., Stack]) -> None:
    """With `always` it cannot keep its word, and ends; whoever supervises it starts it again when there is room."""
    stack = start(workers=1)
    store = stack.store
    assert isinstance(store, Server)
    turn_id = running(stack)
    set_largest_file(store.pid, store.append_only_file.stat().st_size + 100)
    assert try_to_submit(stack, "s").status == 503
    wait_until("the store has ended", lambda: not store.is_reachable())
    store.start()
    stack.open_gate("go")
    assert stack.wait_until_finished(turn_id)["status"] == "completed"
    assert stack.wait_until_finished(stack.submit("s", "hello"))["status"] == "completed"
    assert len(stack.messages("s")) == 2, "what was not accepted left nothing"


def set_largest_file(pid: int, size: int) -> None:
    """As good as a full disk: writing beyond this fails."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
