"""Many callers wait in one process, and other callers are served as usual."""

import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.support.processes import Stack, call
from tests.support.waiting import wait_until

WAITERS = 300
MANY = 1000


def test_hundreds_wait_for_one_turn_beside_other_calls(start: Callable[..., Stack]) -> None:
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
    return all(stack.wait_until_finished(turn)["status"] == "completed" for turn in turns)


def test_waits_beyond_the_limit_are_answered_at_once(start: Callable[..., Stack]) -> None:
    stack = start(workers=1, INTURN_MAX_WAITERS="1")
    turn_id = stack.submit("s", "hello [gate go]")
    with ThreadPoolExecutor(10) as pool:
        answers = [pool.submit(call, f"{stack.url}/v1/turns/{turn_id}?wait=30") for _ in range(10)]
        wait_until("nine are answered", lambda: sum(answer.done() for answer in answers) == 9)
        stack.open_gate("go")
        statuses = [answer.result().body["status"] for answer in answers]
    assert statuses.count("completed") == 1


def test_two_thousand_waiting_clients_do_not_block_others(start: Callable[..., Stack]) -> None:
    stack = start(workers=1)
    turn_id = stack.submit("s", "hello [gate go]")
    path = f"/v1/turns/{turn_id}"
    streams = (f"{path}/events", "/v1/sessions/s/events?until=idle")
    waiting = [Waiting(stack, each) for n in range(MANY) for each in (streams[n % 2], f"{path}?wait=30")]
    assert others(stack)
    stack.open_gate("go")
    whole = [waiter.read_until_completed(again=path) for waiter in waiting]
    assert sum(b"event: done" in answer for answer in whole) == MANY


class Waiting:
    """A client that has sent a request and does not read yet: only a socket, so that thousands fit."""

    def __init__(self, stack: Stack, path: str) -> None:
        self._stack, self._is_stream = stack, "/events" in path
        self._socket = socket.create_connection(("127.0.0.1", int(stack.url.rpartition(":")[2])), timeout=60)
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())

    def read_until_completed(self, *, again: str) -> bytes:
        """Return the answer with the completed turn. Ask `again`, the path of the turn, after one without it.

        A long poll ends after its time. A stream ends early when the store is too slow for it, and readers reconnect.
        """
        if b'"status":"completed"' in (answer := self._read_to_the_end()):
            return answer
        path = f"{again}/events" if self._is_stream else f"{again}?wait=30"
        return Waiting(self._stack, path).read_until_completed(again=again)

    def _read_to_the_end(self) -> bytes:
        with self._socket, self._socket.makefile("rb") as answer:
            return answer.read()
