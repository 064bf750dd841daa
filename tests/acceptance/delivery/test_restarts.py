"""Processes that stop while they are in use, and a turn that kills each worker that runs it."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.support.processes import Stack, call
from tests.support.waiting import wait_until

ROUNDS = 2


def test_a_rolling_restart_under_load_costs_no_attempt(start: Callable[..., Stack]) -> None:
    stack = start(workers=2, INTURN_GRACE_SECONDS="0.5")
    done = threading.Event()

    def run_turns(session: int) -> list[str]:
        turns: list[str] = []
        while not done.is_set():
            turns.append(stack.submit(f"s{session}", f"hello {len(turns)} [words {20 + session}] [pace 0.1]"))
            stack.wait_until_finished(turns[-1])
        return turns

    with ThreadPoolExecutor(20) as pool:
        sessions = [pool.submit(run_turns, session) for session in range(20)]
        try:
            for _ in range(ROUNDS * len(stack.workers)):
                old = stack.workers.pop(0)
                stack.workers.append(stack.start_worker())
                wait_until("the new worker is ready", lambda: is_alive(stack, stack.workers[-1].pid), seconds=60)
                assert old.stop() == 0
        finally:
            done.set()
        turns = [stack.turn(turn) for session in sessions for turn in session.result()]
    assert {(turn["status"], turn["attempt"]) for turn in turns} == {("completed", 1)}
    logs = stack.logs()
    assert '"turn.released"' in logs, "some turns moved to another worker during their answer"
    assert logs.count('"worker.draining"') == ROUNDS * len(stack.workers)


def test_a_stopping_endpoint_answers_all_long_polls(start: Callable[..., Stack]) -> None:
    stack = start(workers=1)
    turn_id = stack.submit("s", "hello [gate never]")
    with ThreadPoolExecutor(5) as pool:
        polls = [pool.submit(stack.turn, turn_id, wait=30) for _ in range(5)]
        wait_until("all long polls are connected", lambda: count_connections(stack) >= 5)
        assert stack.web.stop() == 0
        assert {poll.result()["status"] for poll in polls} <= {"queued", "in_progress"}
    stack.web = stack.start_web()
    wait_until("the endpoint is reachable", lambda: is_reachable(stack))
    assert stack.turn(turn_id)["status"] == "in_progress"


def is_alive(stack: Stack, pid: int) -> bool:
    return any(f":{pid}:" in name.decode() for name in stack.store.raw.zrange("inturn:workers", 0, -1))


def is_reachable(stack: Stack) -> bool:
    try:
        return call(f"{stack.url}/livez").status == 200
    except OSError:
        return False


def count_connections(stack: Stack) -> int:
    """Return the number of established connections at the port of the endpoint."""
    port = int(stack.url.rpartition(":")[2])
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table]
    return sum(row[1].endswith(f":{port:04X}") and row[3] == "01" for row in rows[1:])
