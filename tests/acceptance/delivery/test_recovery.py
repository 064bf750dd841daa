"""What breaks is taken up again by itself."""

import time
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest

from tests.support.processes import Stack, call, turn_request
from tests.support.waiting import wait_until


def test_a_worker_killed_in_mid_turn_is_replaced_by_another(start: Callable[..., Stack]) -> None:
    """With the default lease; the limit is that of a stuck test, `make chaos` measures how long it takes."""
    stack = start(workers=2)
    running = stack.submit("s", "hello [words 40] [pace 0.05]")
    following = stack.submit("s", "next")
    wait_until("the turn runs", lambda: stack.turn(running)["status"] == "in_progress")
    stack.worker_of(running).kill()

    first, second = stack.wait_until_finished(running), stack.wait_until_finished(following)
    assert (first["status"], first["attempt"]) == ("completed", 2)
    assert (second["status"], second["attempt"]) == ("completed", 1)
    assert [m["turn_id"] for m in stack.messages("s")] == [running, running, following, following]


def test_turns_accepted_without_a_worker_run_when_one_comes(start: Callable[..., Stack]) -> None:
    stack = start(workers=0)
    turns = [stack.submit(f"s{n}", "hello") for n in range(5)]
    stack.workers.append(stack.start_worker())
    assert [stack.wait_until_finished(turn)["status"] for turn in turns] == ["completed"] * 5


def test_a_worker_of_one_slot_takes_the_next_turn_as_soon_as_it_is_free(start: Callable[..., Stack]) -> None:
    """Celery, left with one hint at a time, sleeps for two seconds after each."""
    stack = start(workers=1, INTURN_CONCURRENCY="1")
    turns = [stack.wait_until_finished(turn) for turn in [stack.submit(f"s{n}", "hello") for n in range(5)]]
    turns.sort(key=lambda turn: str(turn["started_at"]))
    gaps = [seconds_between(one["finished_at"], other["started_at"]) for one, other in pairwise(turns)]
    assert all(gap >= 0 for gap in gaps)
    assert min(gaps) < 1


def test_a_lost_broker_queue_is_filled_again(start: Callable[..., Stack]) -> None:
    stack = start(workers=1, INTURN_CONCURRENCY="1", INTURN_HINT_GRACE_SECONDS="0.5")
    blocking = stack.submit("blocking", "hello [gate go]")
    wait_until("the worker is busy", lambda: stack.turn(blocking)["status"] == "in_progress")
    turns = [stack.submit(f"s{n}", "hello") for n in range(5)]
    stack.store.raw.delete("inturn:hints")
    stack.open_gate("go")
    assert [stack.wait_until_finished(turn)["status"] for turn in [blocking, *turns]] == ["completed"] * 6


def test_a_store_that_was_away_is_used_again(start: Callable[..., Stack]) -> None:
    stack = start(workers=1)
    before = stack.submit("s", "one [gate go]")
    wait_until("the turn runs", lambda: stack.turn(before)["status"] == "in_progress")
    stack.store.kill()

    refused = timed(lambda: call(f"{stack.url}/v1/turns", method="POST", body=turn_request("s", "lost")))
    assert (refused.status, refused.body["code"]) == (503, "store_unavailable")
    assert int(refused.headers["Retry-After"]) >= 1
    assert timed(lambda: call(f"{stack.url}/v1/turns/{before}")).status == 503
    assert timed(lambda: call(f"{stack.url}/readyz")).status == 503
    assert call(f"{stack.url}/livez").status == 200

    stack.store.start()
    stack.open_gate("go")
    wait_until("the endpoint serves again", lambda: call(f"{stack.url}/readyz").status == 200)
    after = stack.submit("s", "two")
    assert [stack.wait_until_finished(turn)["status"] for turn in (before, after)] == ["completed", "completed"]
    assert [m["content"] for m in stack.messages("s") if m["role"] == "user"] == ["one [gate go]", "two"]


@pytest.mark.parametrize("pool", ["threads"])
def test_the_other_pool_works_too(start: Callable[..., Stack], pool: str) -> None:
    stack = start(workers=1, INTURN_POOL=pool, INTURN_CONCURRENCY="20")
    turns = [stack.submit(f"s{n}", "hello [delay 0.2]") for n in range(40)]
    assert {stack.wait_until_finished(turn)["status"] for turn in turns} == {"completed"}
    running = stack.submit("cancelled", "long [words 400] [pace 0.05]")
    following = stack.submit("cancelled", "next")
    call(f"{stack.url}/v1/turns/{running}/cancel", method="POST")
    assert stack.wait_until_finished(following)["status"] == "completed"


def test_a_worker_told_to_stop_finishes_what_it_runs(start: Callable[..., Stack]) -> None:
    stack = start(workers=1)
    turn = stack.submit("s", "hello [words 30] [pace 0.05]")
    wait_until("the turn runs", lambda: stack.turn(turn)["status"] == "in_progress")
    worker = stack.workers.pop()
    assert worker.stop() == 0
    ended = stack.turn(turn)
    assert (ended["status"], ended["attempt"]) == ("completed", 1)
    assert call(f"{stack.url}/readyz").body["live_workers"] == 0


def timed(answer: Callable[[], Any]) -> Any:
    """The answer, which must come within the two seconds that the contract gives a store that is away."""
    began = time.monotonic()
    result = answer()
    assert time.monotonic() - began < 2
    return result


def seconds_between(earlier: str, later: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()
