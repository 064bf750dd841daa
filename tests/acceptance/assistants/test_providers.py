"""Test each failure of a provider: the turn ends with a stable code, after a known number of requests."""

from collections.abc import Callable
from typing import Any

import pytest

from inturn.testing.ports import free_port
from tests.support.processes import Stack, call
from tests.support.waiting import wait_until

# Directive to the scripted model, error code of the turn, number of requests. All together need 22 retries, which the
# retry budget of one worker just allows.
FAILURES = [
    ("[raw html]", "provider_protocol", 2),
    ("[raw broken-json]", "provider_protocol", 2),
    ("[raw no-choices]", "incomplete_answer", 2),
    ("[raw no-chunk]", "provider_protocol", 2),
    ("[raw odd-reason]", "provider_protocol", 2),
    ("[raw nothing]", "provider_protocol", 2),
    ("[raw empty-answer]", "provider_protocol", 2),
    ("[raw bad-utf-8]", "provider_protocol", 2),
    ("[raw error-event]", "provider_error", 3),
    ("[cut it]", "provider_unreachable", 3),
    ("[finish none]", "incomplete_answer", 2),
    ("[finish surprise]", "provider_protocol", 2),
    ("[finish content_filter]", "content_filtered", 1),
    ("[fail 400]", "provider_rejected", 1),
    ("[fail 400] [code context_length_exceeded]", "context_too_long", 1),
    ("[fail 400] [code content_filter]", "content_filtered", 1),
    ("[fail 401]", "provider_authentication", 1),
    ("[fail 403]", "provider_authentication", 1),
    ("[fail 404]", "provider_rejected", 1),
    ("[fail 404] [code model_not_found]", "provider_model_not_found", 1),
    ("[fail 402]", "provider_quota", 1),
    ("[fail 413]", "context_too_long", 1),
    ("[fail 408]", "provider_error", 3),
    ("[fail 422]", "provider_rejected", 1),
    ("[fail 429] [code insufficient_quota]", "provider_quota", 1),
    ("[fail 500]", "provider_error", 3),
    ("[fail 529]", "provider_error", 3),
]


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    return {
        "INTURN_RETRY_SECONDS": "0.05",
        "INTURN_TENANT_TOKENS_PER_DAY": "1000000000",
        "INTURN_OUTAGE_PATIENCE_SECONDS": "0",  # the tests of outages below have their own stacks
    }


def request_count(stack: Stack, question: str) -> int:
    return len(stack.model_requests(question))


@pytest.mark.parametrize(("failure", "code", "times"), FAILURES)
def test_each_failure_ends_as_documented(stack: Stack, failure: str, code: str, times: int) -> None:
    session = "".join(c for c in failure if c.isalnum())
    turn = stack.wait_until_finished(stack.submit(session, f"hello {failure}"))
    assert (turn["status"], turn["error"] and turn["error"]["code"]) == ("failed", code)
    assert request_count(stack, f"hello {failure}") == turn["attempt"] == times
    assert "sk-canary" not in str(turn)
    following = stack.wait_until_finished(stack.submit(session, "next"))
    assert following["status"] == "completed"
    assert [m["turn_id"] for m in stack.messages(session)] == [following["id"]] * 2


def test_a_truncated_answer_is_kept_with_a_status_reason(stack: Stack) -> None:
    turn = stack.wait_until_finished(stack.submit("cut", "hello [finish length]"))
    assert (turn["status"], turn["status_reason"]) == ("completed", "length")
    assert len(stack.messages("cut")) == 2


@pytest.mark.parametrize("tokens", ["-50", "9223372036854775800"])
def test_an_answer_with_impossible_usage_is_kept_without_it(stack: Stack, tokens: str) -> None:
    session = f"counted{tokens}"
    turn = stack.wait_until_finished(stack.submit(session, f"hello [tokens {tokens}]"))
    assert (turn["status"], turn["usage"], turn["error"]) == ("completed", None, None)
    assert stack.wait_until_finished(stack.submit(session, "next"))["usage"]["output_tokens"] > 0
    assert len(stack.messages(session)) == 4


@pytest.mark.parametrize("header", ["", " [retry-after 0]"])
def test_a_rate_limit_is_waited_out_and_costs_no_attempt(stack: Stack, header: str) -> None:
    question = f"hello [fail 429 1]{header}"
    turn = stack.wait_until_finished(stack.submit(f"limited{len(header)}", question))
    assert (turn["status"], turn["attempt"], request_count(stack, question)) == ("completed", 1, 2)


def test_a_turn_waiting_for_a_rate_limit_shows_until_when(start: Callable[..., Stack]) -> None:
    stack = start(workers=1)
    turn_id = stack.submit("s", "hello [fail 429] [retry-after 3600]")
    wait_until("it waits", lambda: (stack.turn(turn_id)["queue"] or {}).get("retry_at"))
    other = stack.submit("other", "the same model")
    wait_until("the other waits too", lambda: (stack.turn(other)["queue"] or {}).get("waiting_for") == "retry")
    assert len(stack.model_requests()) == 1, "the pause applies to all turns"
    assert stack.turn(turn_id)["attempt"] == 1


def test_retries_do_not_double_the_load(start: Callable[..., Stack]) -> None:
    stack = start(workers=1, INTURN_RETRY_SECONDS="0.05", INTURN_OUTAGE_PATIENCE_SECONDS="0")
    turns = [stack.submit(f"s{n}", "hello [fail 503]") for n in range(200)]
    assert {stack.wait_until_finished(turn)["error"]["code"] for turn in turns} == {"provider_error"}
    first, reserve, share = 200, 20, 0.1
    assert len(stack.model_requests()) <= first * (1 + share) + reserve


def test_an_outage_fails_no_turn_and_is_visible_and_lifted(start: Callable[..., Stack]) -> None:
    stack = start(workers=1, INTURN_RETRY_SECONDS="0.05")
    turns = [stack.submit(f"s{n}", f"hello {n} [down provider]") for n in range(60)]

    def holds() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = call(f"{stack.url}/operator/status").body["holds"]
        return found

    wait_until("the turns wait", lambda: any(hold["held_turns"] >= 50 for hold in holds()))
    [hold] = holds()
    assert (hold["reason"], hold["code"]) == ("outage", "provider_error")
    why = call(f"{stack.url}/operator/session?session_id=s59").body["why"]
    assert [reason["reason"] for reason in why] == ["model_outage"]
    stack.open_gate("provider")
    call(f"{stack.url}/operator/holds/lift?name={hold['name']}", method="POST")
    assert {stack.wait_until_finished(turn)["status"] for turn in turns} == {"completed"}
    wait_until("the hold is over", lambda: holds() == [])


def test_an_unreachable_provider_is_tried_three_times(start: Callable[..., Stack]) -> None:
    stack = start(workers=1, OPENAI_BASE_URL=f"http://127.0.0.1:{free_port()}/v1", INTURN_RETRY_SECONDS="0.05")
    turn = stack.wait_until_finished(stack.submit("s", "hello"))
    assert (turn["error"]["code"], turn["attempt"]) == ("provider_unreachable", 3)


def test_the_fallback_model_answers_where_that_can_help(start: Callable[..., Stack]) -> None:
    stack = start(workers=1, INTURN_MODEL="first", INTURN_FALLBACK_MODEL="second")
    helped = stack.wait_until_finished(stack.submit("helped", "hello [fail 401 1]"))
    assert (helped["status"], helped["model"]) == ("completed", "second")
    filtered = stack.wait_until_finished(stack.submit("filtered", "hello [finish content_filter]"))
    assert (filtered["error"]["code"], filtered["model"]) == ("content_filtered", "first")
