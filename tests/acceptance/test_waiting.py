"""Many callers wait in one process, and everybody else is served as if they were not there."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.processes import Stack, call
from tests.waiting import wait_until

WAITERS = 300


def test_hundreds_wait_for_one_turn_while_others_come_and_go(start: Callable[..., Stack]) -> None:
    stack = start(workers=1)
    turn_id = stack.submit("s", "hello [gate go]")

    def wait(_: int) -> str:
        status: str = call(f"{stack.url}/v1/turns/{turn_id}?wait=30").body["status"]
        return status

    with ThreadPoolExecutor(WAITERS) as pool:
        waiting = pool.map(wait, range(WAITERS))
        wait_until("a hundred other turns have gone through", lambda: others(stack))
        stack.open_gate("go")
        assert list(waiting) == ["completed"] * WAITERS


def others(stack: Stack) -> bool:
    turns = [stack.submit(f"other-{n}", "hello") for n in range(100)]
    return all(stack.finished(turn)["status"] == "completed" for turn in turns)


def test_more_waiters_than_are_allowed_are_answered_at_once(start: Callable[..., Stack]) -> None:
    stack = start(workers=1, INTURN_MAX_WAITERS="1")
    turn_id = stack.submit("s", "hello [gate go]")
    with ThreadPoolExecutor(10) as pool:
        asked = [pool.submit(call, f"{stack.url}/v1/turns/{turn_id}?wait=30") for _ in range(10)]
        wait_until("nine are answered", lambda: sum(answer.done() for answer in asked) == 9)
        stack.open_gate("go")
        statuses = [answer.result().body["status"] for answer in asked]
    assert statuses.count("completed") == 1
