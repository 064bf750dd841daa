"""Turns that end before their answer does: cancelled, interrupted, rolled back, late, handed back."""

import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.processes import Stack, call, turn_request
from tests.support.scripted_model import digest
from tests.support.waiting import wait_until

SYSTEM = {"role": "system", "content": "You're an assistant who's good at math. Respond in 20 words or fewer"}
LONG = "long [words 600] [pace 0.05]"


def speaking(stack: Stack, session_id: str, said: str = LONG) -> str:
    """A turn whose model has begun to answer."""
    turn_id = stack.submit(session_id, said)
    events = f"inturn:events:{turn_id}"
    wait_until("the model speaks", lambda: stack.store.raw.xlen(events) >= 4)
    return turn_id


def closed(stack: Stack, question: str) -> bool:
    """The provider noticed that its client left."""
    return any(request["closed"] for request in stack.model_requests(question))


def post(stack: Stack, path: str) -> Any:
    return call(f"{stack.url}{path}", method="POST")


def test_a_cancelled_run_leaves_its_provider(stack: Stack) -> None:
    question = f"cancelled {LONG}"
    turn_id = speaking(stack, "cancelled", question)
    assert post(stack, f"/v1/turns/{turn_id}/cancel").body["status"] == "cancelled"
    wait_until("the provider's connection is closed", lambda: closed(stack, question), seconds=5)
    assert stack.messages("cancelled") == []


def test_a_run_that_waits_for_its_first_word_is_stopped_too(stack: Stack) -> None:
    question = "silent [delay 3]"
    turn_id = stack.submit("silent", question)
    wait_until("the model is asked", lambda: stack.model_requests(question))
    post(stack, f"/v1/turns/{turn_id}/cancel")
    wait_until("the provider's connection is closed", lambda: closed(stack, question), seconds=15)


def test_interrupt_keeps_what_was_said(stack: Stack) -> None:
    question = f"interrupted {LONG}"
    first = speaking(stack, "interrupted", question)
    waiting = stack.submit("interrupted", "never asked")
    second = stack.wait_until_finished(stack.submit("interrupted", "wait, rather this", on_busy="interrupt"))
    ended = stack.turn(first)
    assert (ended["status"], ended["status_reason"]) == ("incomplete", "interrupted")
    assert stack.turn(waiting)["status"] == "cancelled"
    so_far = ended["output"]["content"]
    assert so_far.startswith("answer to interrupted")
    conversation = [
        {"role": "user", "content": question},
        {"role": "assistant", "content": so_far},
        {"role": "user", "content": "wait, rather this"},
    ]
    assert second["output"]["content"].endswith(digest([SYSTEM, *conversation]))
    assert [m["content"] for m in stack.messages("interrupted")][:3] == [m["content"] for m in conversation]


def test_rollback_keeps_nothing(stack: Stack) -> None:
    first = speaking(stack, "rolled", f"rolled {LONG}")
    second = stack.wait_until_finished(stack.submit("rolled", "forget that", on_busy="rollback"))
    assert stack.turn(first)["status"] == "cancelled"
    assert second["output"]["content"].endswith(digest([SYSTEM, {"role": "user", "content": "forget that"}]))


def test_reject_refuses_a_busy_session(stack: Stack) -> None:
    running = speaking(stack, "rejected", f"rejected {LONG}")
    body = turn_request("rejected", "me too", on_busy="reject")
    refused = call(f"{stack.url}/v1/turns", method="POST", body=body)
    assert (refused.status, refused.body["code"]) == (409, "session_busy")
    post(stack, f"/v1/turns/{running}/cancel")


def test_a_turn_that_is_not_started_in_time_ends(stack: Stack) -> None:
    running = speaking(stack, "expired", f"expired {LONG}")
    late = stack.wait_until_finished(stack.submit("expired", "in vain", start_within_seconds=0.5))
    assert (late["status"], late["status_reason"]) == ("incomplete", "expired")
    assert stack.turn(running)["status"] == "in_progress"
    post(stack, f"/v1/turns/{running}/cancel")


def test_a_failed_turn_can_be_tried_again(stack: Stack) -> None:
    failed = stack.wait_until_finished(stack.submit("again", "hello [fail 400 1]", metadata={"ticket": "42"}))
    assert failed["error"]["code"] == "provider_rejected"
    answer = post(stack, f"/v1/turns/{failed['id']}/retry")
    assert (answer.status, answer.body["retry_of"], answer.body["sequence"]) == (202, failed["id"], 2)
    again = stack.wait_until_finished(answer.body["id"])
    assert (again["status"], again["metadata"]) == ("completed", {"ticket": "42"})
    refused = post(stack, f"/v1/turns/{again['id']}/retry")
    assert (refused.status, refused.body["code"]) == (409, "turn_not_failed")


def test_a_worker_that_must_end_hands_its_turns_back(start: Callable[..., Stack]) -> None:
    """Another takes them at once: the lease here is far longer than the test waits."""
    stack = start(workers=1, INTURN_GRACE_SECONDS="0.5", INTURN_LEASE_SECONDS="600", INTURN_HINT_GRACE_SECONDS="600")
    turn_id = speaking(stack, "s", "hello [words 60] [pace 0.05]")
    first = stack.workers.pop()
    stack.workers.append(stack.start_worker())
    wait_until("the second is ready", lambda: call(f"{stack.url}/readyz").body["live_workers"] == 2)
    assert first.stop() == 0
    turn = stack.wait_until_finished(turn_id)
    assert (turn["status"], turn["attempt"]) == ("completed", 1)
    assert len(stack.messages("s")) == 2


@pytest.mark.parametrize(
    ("setting", "question"),
    [
        ("INTURN_FIRST_TOKEN_SECONDS", "hello [delay 4]"),
        ("INTURN_IDLE_SECONDS", "hello [pace 4]"),
        ("INTURN_TOTAL_SECONDS", "hello [words 600] [pace 0.1]"),
    ],
)
def test_a_late_model_is_not_waited_for(start: Callable[..., Stack], setting: str, question: str) -> None:
    stack = start(workers=1, INTURN_MAX_ATTEMPTS="1", **{setting: "0.5"})
    turn = stack.wait_until_finished(stack.submit("s", question))
    assert (turn["status"], turn["error"]["code"]) == ("failed", "provider_timeout")
    wait_until("the provider's connection is closed", lambda: closed(stack, question), seconds=60)


def test_a_frozen_worker_that_wakes_up_changes_nothing(start: Callable[..., Stack]) -> None:
    """It was stopped in mid-answer for longer than its lease, and goes on as if nothing had been."""
    stack = start(workers=2, INTURN_LEASE_SECONDS="1")
    turn_id = speaking(stack, "s", "hello [words 60] [pace 0.05]")
    frozen = stack.worker_of(turn_id)
    frozen.signal(signal.SIGSTOP)
    turn = stack.wait_until_finished(turn_id)
    frozen.signal(signal.SIGCONT)
    wait_until("it has noticed", lambda: '"lease.lost"' in stack.logs())
    assert (turn["status"], turn["attempt"]) == ("completed", 2)
    assert stack.turn(turn_id) == turn
    assert [m["turn_id"] for m in stack.messages("s")] == [turn_id, turn_id]
