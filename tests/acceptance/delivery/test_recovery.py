"""Turns run again without an operator after a worker, the broker's queue or the store was lost."""

import time
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from typing import Any

from tests.support.processes import Stack, call, turn_request
from tests.support.waiting import wait_until


def test_another_worker_runs_the_turn_of_a_killed_worker(start: Callable[..., Stack]) -> None:
    """This uses the default lease; `make chaos` measures how long the recovery takes."""
    stack = start(workers=2)
    running = stack.submit("s", "hello [hold go]")
    following = stack.submit("s", "next")
    stack.worker_of(running).kill()
    stack.open_gate("go")

    first, second = stack.wait_until_finished(running), stack.wait_until_finished(following)
    assert (first["status"], first["attempt"], first["losses"]) == ("completed", 1, 1)
    assert (second["status"], second["attempt"], second["losses"]) == ("completed", 1, 0)
    assert [m["turn_id"] for m in stack.messages("s")] == [running, running, following, following]


def test_a_killed_worker_is_noticed_before_its_leases_run_out(start: Callable[..., Stack]) -> None:
    """Its connections close; the leases would last longer than this test."""
    stack = start(workers=2, INTURN_LEASE_SECONDS="600")
    turns = [stack.submit(f"s{n}", "hello [hold go]") for n in range(4)]
    for turn in turns:
        stack.wait_until_running(turn)
    wait_until("both workers are registered", lambda: stack.store.raw.scard("inturn:connected") == 2)
    victim = stack.worker_of(turns[0])
    mine = [turn for turn in turns if stack.worker_of(turn) is victim]
    victim.kill()
    stack.open_gate("go")
    assert {stack.wait_until_finished(turn)["status"] for turn in turns} == {"completed"}
    assert len(mine) >= 1
    assert stack.live_workers() == 1


def test_the_only_worker_takes_over_from_its_predecessor(start: Callable[..., Stack]) -> None:
    stack = start(workers=1, INTURN_LEASE_SECONDS="600")
    turn = stack.submit("s", "hello [hold go]")
    wait_until("the worker is registered", lambda: stack.store.raw.scard("inturn:connected") == 1)
    stack.worker_of(turn).kill()
    stack.open_gate("go")
    stack.replace_dead()
    assert stack.wait_until_finished(turn)["status"] == "completed"


def test_turns_accepted_without_a_worker_run_later(start: Callable[..., Stack]) -> None:
    stack = start(workers=0)
    turns = [stack.submit(f"s{n}", "hello") for n in range(5)]
    stack.workers.append(stack.start_worker())
    assert [stack.wait_until_finished(turn)["status"] for turn in turns] == ["completed"] * 5


def test_a_worker_of_one_slot_claims_turns_without_delay(start: Callable[..., Stack]) -> None:
    """Celery sleeps for two seconds after each message when it prefetches only one."""
    stack = start(workers=1, INTURN_CONCURRENCY="1")
    turns = [stack.wait_until_finished(turn) for turn in [stack.submit(f"s{n}", "hello") for n in range(5)]]
    turns.sort(key=lambda turn: str(turn["started_at"]))
    gaps = [seconds_between(one["finished_at"], other["started_at"]) for one, other in pairwise(turns)]
    assert all(gap >= 0 for gap in gaps)
    assert min(gaps) < 2


def test_lost_hints_are_sent_again(start: Callable[..., Stack]) -> None:
    stack = start(workers=1, INTURN_CONCURRENCY="1", INTURN_HINT_GRACE_SECONDS="0.5")
    blocking = stack.submit("blocking", "hello [gate go]")
    stack.wait_until_running(blocking)
    turns = [stack.submit(f"s{n}", "hello") for n in range(5)]
    stack.store.raw.delete("inturn:hints")
    stack.open_gate("go")
    assert [stack.wait_until_finished(turn)["status"] for turn in [blocking, *turns]] == ["completed"] * 6


def test_a_restarted_store_is_used_again(start: Callable[..., Stack]) -> None:
    stack = start(workers=1)
    before = stack.submit("s", "one [gate go]")
    stack.wait_until_running(before)
    stack.store.kill()

    refused = timed(lambda: call(f"{stack.url}/v1/turns", method="POST", body=turn_request("s", "lost")))
    assert (refused.status, refused.body["code"]) == (503, "store_unavailable")
    assert int(refused.headers["Retry-After"]) >= 1
    assert timed(lambda: call(f"{stack.url}/v1/turns/{before}")).status == 503
    assert timed(lambda: call(f"{stack.url}/readyz")).status == 503
    assert call(f"{stack.url}/livez").status == 200

    stack.store.start()
    stack.open_gate("go")
    wait_until("the endpoint is ready again", lambda: call(f"{stack.url}/readyz").status == 200)
    after = stack.submit("s", "two")
    assert [stack.wait_until_finished(turn)["status"] for turn in (before, after)] == ["completed", "completed"]
    assert [m["content"] for m in stack.messages("s") if m["role"] == "user"] == ["one [gate go]", "two"]


def test_the_thread_pool_runs_and_cancels_turns(start: Callable[..., Stack]) -> None:
    stack = start(workers=1, INTURN_POOL="threads", INTURN_CONCURRENCY="20")
    turns = [stack.submit(f"s{n}", "hello [delay 0.2]") for n in range(40)]
    assert {stack.wait_until_finished(turn)["status"] for turn in turns} == {"completed"}
    running = stack.submit("cancelled", "long [words 400] [pace 0.05]")
    following = stack.submit("cancelled", "next")
    call(f"{stack.url}/v1/turns/{running}/cancel", method="POST")
    assert stack.wait_until_finished(following)["status"] == "completed"


def test_a_stopping_worker_finishes_its_turn(start: Callable[..., Stack]) -> None:
    stack = start(workers=1)
    turn_id = stack.submit("s", "hello [words 30] [pace 0.05]")
    stack.wait_until_running(turn_id)
    worker = stack.workers.pop()
    assert worker.stop() == 0
    turn = stack.turn(turn_id)
    assert (turn["status"], turn["attempt"]) == ("completed", 1)
    assert call(f"{stack.url}/readyz").body["live_workers"] == 0


def timed(respond: Callable[[], Any]) -> Any:
    """Return the response, and check that it does not wait for the store; a busy machine may exceed the two seconds."""
    began = time.monotonic()
    response = respond()
    assert time.monotonic() - began < 15
    return response


def seconds_between(earlier: str, later: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()
