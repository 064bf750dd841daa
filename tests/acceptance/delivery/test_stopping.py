"""Turns that are stopped before their answer is complete: cancelled, interrupted, rolled back, expired or released."""

import signal
from collections.abc import Callable

import pytest

from tests.support.processes import SYSTEM_MESSAGE, HttpResponse, Stack, call, turn_request
from tests.support.scripted_model import digest
from tests.support.waiting import wait_until

LONG = "long [words 600] [pace 0.05]"


def start_streaming(stack: Stack, session_id: str, text: str = LONG, *, events: int = 4) -> str:
    """Submit a turn, and return its id once the first words of its answer have arrived."""
    turn_id = stack.submit(session_id, text)
    stack.wait_until_streaming(turn_id, events=events)
    return turn_id


def post(stack: Stack, path: str) -> HttpResponse:
    return call(f"{stack.url}{path}", method="POST")


def test_cancel_closes_the_connection_to_the_provider(stack: Stack) -> None:
    question = f"cancelled {LONG}"
    turn_id = start_streaming(stack, "cancelled", question)
    assert post(stack, f"/v1/turns/{turn_id}/cancel").body["status"] == "cancelled"
    stack.wait_until_disconnected(question)
    assert stack.messages("cancelled") == []


def test_cancel_stops_a_turn_that_waits_for_its_first_word(stack: Stack) -> None:
    question = "silent [delay 3]"
    turn_id = stack.submit("silent", question)
    wait_until("the model has the request", lambda: stack.model_requests(question))
    post(stack, f"/v1/turns/{turn_id}/cancel")
    stack.wait_until_disconnected(question)


def test_interrupt_keeps_the_partial_answer(stack: Stack) -> None:
    question = f"interrupted {LONG}"
    first = start_streaming(stack, "interrupted", question)
    waiting = stack.submit("interrupted", "never asked")
    second = stack.wait_until_finished(stack.submit("interrupted", "wait, rather this", on_busy="interrupt"))
    interrupted = stack.turn(first)
    assert (interrupted["status"], interrupted["status_reason"]) == ("incomplete", "interrupted")
    assert stack.turn(waiting)["status"] == "cancelled"
    partial_answer = interrupted["output"]["content"]
    assert partial_answer.startswith("answer to interrupted")
    conversation = [
        {"role": "user", "content": question},
        {"role": "assistant", "content": partial_answer},
        {"role": "user", "content": "wait, rather this"},
    ]
    assert second["output"]["content"].endswith(digest([SYSTEM_MESSAGE, *conversation]))
    assert [m["content"] for m in stack.messages("interrupted")][:3] == [m["content"] for m in conversation]


def test_rollback_keeps_nothing(stack: Stack) -> None:
    first = start_streaming(stack, "rolled", f"rolled {LONG}")
    second = stack.wait_until_finished(stack.submit("rolled", "forget that", on_busy="rollback"))
    assert stack.turn(first)["status"] == "cancelled"
    assert second["output"]["content"].endswith(digest([SYSTEM_MESSAGE, {"role": "user", "content": "forget that"}]))


def test_reject_refuses_a_busy_session(stack: Stack) -> None:
    running = start_streaming(stack, "rejected", f"rejected {LONG}")
    body = turn_request("rejected", "me too", on_busy="reject")
    refused = call(f"{stack.url}/v1/turns", method="POST", body=body)
    assert (refused.status, refused.body["code"]) == (409, "session_busy")
    post(stack, f"/v1/turns/{running}/cancel")


def test_a_turn_that_starts_too_late_expires(stack: Stack) -> None:
    running = start_streaming(stack, "expired", f"expired {LONG}")
    late = stack.wait_until_finished(stack.submit("expired", "in vain", start_within_seconds=0.5))
    assert (late["status"], late["status_reason"]) == ("incomplete", "expired")
    assert stack.turn(running)["status"] == "in_progress"
    post(stack, f"/v1/turns/{running}/cancel")


def test_only_a_failed_turn_can_be_retried(stack: Stack) -> None:
    failed = stack.wait_until_finished(stack.submit("again", "hello [fail 400 1]", metadata={"ticket": "42"}))
    assert failed["error"]["code"] == "provider_rejected"
    retry = post(stack, f"/v1/turns/{failed['id']}/retry")
    assert (retry.status, retry.body["retry_of"], retry.body["sequence"]) == (202, failed["id"], 2)
    retried = stack.wait_until_finished(retry.body["id"])
    assert (retried["status"], retried["metadata"]) == ("completed", {"ticket": "42"})
    refused = post(stack, f"/v1/turns/{retried['id']}/retry")
    assert (refused.status, refused.body["code"]) == (409, "turn_not_failed")


def test_a_stopping_worker_releases_its_turns(start: Callable[..., Stack]) -> None:
    """Another worker claims them at once; the lease here is far longer than the test waits."""
    stack = start(workers=1, INTURN_GRACE_SECONDS="0.5", INTURN_LEASE_SECONDS="600", INTURN_HINT_GRACE_SECONDS="600")
    turn_id = start_streaming(stack, "s", "hello [hold go]", events=2)
    first = stack.workers.pop()
    stack.workers.append(stack.start_worker())
    wait_until("the second worker is ready", lambda: stack.live_workers() == 2)
    assert first.stop() == 0
    stack.open_gate("go")
    turn = stack.wait_until_finished(turn_id)
    assert (turn["status"], turn["attempt"]) == ("completed", 1)
    assert len(stack.messages("s")) == 2


@pytest.mark.parametrize(
    ("setting", "question"),
    [
        ("INTURN_FIRST_TOKEN_SECONDS", "hello [delay 2]"),
        ("INTURN_IDLE_SECONDS", "hello [pace 1]"),
        ("INTURN_TOTAL_SECONDS", "hello [words 600] [pace 0.1]"),
    ],
)
def test_a_slow_model_times_out(start: Callable[..., Stack], setting: str, question: str) -> None:
    stack = start(workers=1, INTURN_MAX_ATTEMPTS="1", **{setting: "0.5"})
    turn = stack.wait_until_finished(stack.submit("s", question))
    assert (turn["status"], turn["error"]["code"]) == ("failed", "provider_timeout")
    stack.wait_until_disconnected(question)


def test_a_frozen_worker_that_continues_changes_nothing(start: Callable[..., Stack]) -> None:
    """The worker is frozen during an answer for longer than its lease, and then continues."""
    stack = start(workers=2, INTURN_LEASE_SECONDS="1")
    turn_id = start_streaming(stack, "s", "hello [hold go]", events=2)
    frozen = stack.worker_of(turn_id)
    frozen.signal(signal.SIGSTOP)
    stack.open_gate("go")
    turn = stack.wait_until_finished(turn_id)
    frozen.signal(signal.SIGCONT)
    wait_until("the worker notices the lost lease", lambda: '"lease.lost"' in stack.logs())
    assert (turn["status"], turn["attempt"], turn["losses"]) == ("completed", 1, 1)
    assert stack.turn(turn_id) == turn
    assert [m["turn_id"] for m in stack.messages("s")] == [turn_id, turn_id]
