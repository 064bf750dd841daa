"""Saying something, and what becomes of it."""

import json
import re
from collections.abc import Callable

from playwright.sync_api import Route, expect

from tests.browser.chat import Chat
from tests.support.processes import Stack, call
from tests.support.waiting import wait_until


def said(stack: Stack, text: str) -> int:
    """How often the model was asked this."""
    return sum(text in asked["messages"][-1]["content"] for asked in stack.asked())


def test_what_is_said_is_answered_and_the_model_knows_what_was_said_before(chat: Chat, stack: Stack) -> None:
    chat.say("hello")
    chat.wait_for("done")
    chat.say("and again")
    chat.wait_for("done", count=2)
    roles = [message["role"] for message in stack.messages(chat.session_id)]
    assert roles == ["user", "assistant", "user", "assistant"]
    assert chat.answer() == stack.turn(chat.turn_id)["output"]["content"]


def test_the_assistants_variables_are_asked_for(visit: Callable[..., Chat], stack: Stack) -> None:
    chat = visit(stack)
    expect(chat.page.get_by_label("ability")).to_be_visible()
    chat.say("hello")
    expect(chat.page.get_by_label("ability")).to_be_focused()
    expect(chat.message, "the text is kept").to_have_value("hello")
    chat.fill_variable("riddles")
    chat.message.press("Enter")
    chat.wait_for("done")
    assert "riddles" in stack.asked()[-1]["messages"][0]["content"]
    chat.reload()
    expect(chat.page.get_by_label("ability")).to_have_value("riddles")


def test_shift_and_enter_begins_a_line_and_enter_in_a_composition_chooses_a_word(chat: Chat) -> None:
    chat.message.fill("one")
    chat.message.press("Shift+Enter")
    chat.page.keyboard.type("two")
    expect(chat.message).to_have_value("one\ntwo")
    chat.message.dispatch_event("keydown", {"key": "Enter", "isComposing": True, "bubbles": True, "cancelable": True})
    expect(chat.message).to_have_value("one\ntwo")
    chat.message.press("Enter")
    expect(chat.message).to_have_value("")
    chat.wait_for("done")
    expect(chat.turns.locator(".said p")).to_have_text("one\ntwo", use_inner_text=True)


def test_thinking_and_answering_are_told_with_the_time_that_passes(chat: Chat, stack: Stack) -> None:
    chat.say("slow [gate thinking] [words 60] [pace 0.05]")
    chat.wait_for_words(re.compile(r"Thinking · \d+ s"))
    stack.open_gate("thinking")
    chat.wait_for_words(re.compile("Answering"))
    chat.wait_for("done")
    expect(chat.turns.locator(".details")).to_contain_text("tokens")


def test_stopping_keeps_what_was_seen_and_leaves_no_trace_in_the_session(chat: Chat, stack: Stack) -> None:
    chat.say("long [words 400] [pace 0.05]")
    chat.wait_for_text()
    chat.press("Stop")
    chat.wait_for("stopped")
    assert "word0" in chat.answer()
    chat.wait_for_words("Stopped. What it had said is no part of the session.")
    assert stack.messages(chat.session_id) == []


def test_a_failed_turn_says_why_and_can_be_tried_again(chat: Chat) -> None:
    chat.say("bad [fail 400 1]")
    chat.wait_for_words("Failed: The model's provider rejected the request.")
    chat.press("Retry")
    chat.wait_for("done")
    expect(chat.in_state("failed")).to_have_count(1)
    expect(chat.page.get_by_role("button", name="Retry")).to_have_count(0)


def test_an_attempt_that_failed_is_told_while_the_next_one_is_awaited(chat: Chat) -> None:
    chat.say("flaky [fail 503 1]")
    chat.wait_for("done")
    expect(chat.turns.locator(".details")).to_contain_text("attempt 2")


def test_who_waits_is_told_the_place_and_what_it_waits_for(chat: Chat, stack: Stack) -> None:
    for n in (1, 2, 3):
        chat.say(f"number {n} [gate place-{n}]")
    chat.wait_for_words("Queued, number 3: waits for the turn before it.")
    stack.open_gate("place-1")
    chat.wait_for("done")
    expect(chat.turns.nth(2).locator(".words")).to_have_text("Queued, number 2: waits for the turn before it.")
    chat.press("Withdraw")
    chat.wait_for("stopped")
    stack.open_gate("place-2")
    chat.wait_for("done", count=2)


def test_asking_again_adds_a_turn_with_the_same_question(chat: Chat, stack: Stack) -> None:
    chat.say("once more")
    chat.wait_for("done")
    chat.press("Ask again")
    chat.wait_for("done", count=2)
    assert len(stack.messages(chat.session_id)) == 4


def test_what_cannot_be_sent_is_kept_and_sent_once(chat: Chat, stack: Stack) -> None:
    chat.expect_trouble("ERR_INTERNET_DISCONNECTED|ERR_FAILED")
    chat.page.context.set_offline(True)
    chat.say("said on a train")
    chat.wait_for_words(re.compile("Not sent yet: The service cannot be reached."))
    expect(chat.page.locator(".banner")).to_contain_text("You are offline")
    chat.page.context.set_offline(False)
    chat.wait_for("done")
    assert said(stack, "said on a train") == 1


def test_a_lost_answer_to_a_send_makes_no_second_turn(chat: Chat, stack: Stack) -> None:
    chat.expect_trouble("ERR_FAILED")
    keys = []

    def lose(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            body = json.loads(route.request.post_data or "")
            call(f"{stack.url}/v1/turns", method="POST", body=body, headers={"Idempotency-Key": keys[0]})
            route.abort()
        else:
            route.continue_()

    chat.page.route("**/v1/turns", lose)
    chat.say("doubled?")
    chat.wait_for("done")
    assert len(keys) == 2
    assert keys[0] == keys[1]
    assert said(stack, "doubled?") == 1
    assert len(stack.messages(chat.session_id)) == 2


def test_what_was_not_sent_survives_a_reload(chat: Chat, stack: Stack) -> None:
    chat.expect_trouble("ERR_FAILED")
    chat.page.route("**/v1/turns", lambda route: route.abort())
    chat.say("before the reload")
    chat.wait_for_words(re.compile("Not sent yet"))
    chat.page.unroute("**/v1/turns")
    chat.expect_trouble("404.*messages")  # the service has not heard of this session yet
    chat.reload()
    chat.wait_for("done")
    assert said(stack, "before the reload") == 1


def test_what_was_to_be_tried_again_comes_first_after_a_reload(chat: Chat, stack: Stack) -> None:
    chat.expect_trouble("503")
    chat.page.route("**/v1/turns", lambda route: route.fulfill(status=503, headers={"Retry-After": "60"}))
    chat.say("said first")
    chat.wait_for_words(re.compile("Trying again in"))
    chat.say("said second")
    chat.wait_for("sending")
    chat.page.unroute("**/v1/turns")
    chat.expect_trouble("404.*messages")  # the service has not heard of this session yet
    chat.reload()
    chat.wait_for("done", count=2)
    assert [message["content"] for message in stack.messages(chat.session_id)[::2]] == ["said first", "said second"]


def test_what_was_given_up_is_sent_after_a_reload_only_if_somebody_says_so(chat: Chat, stack: Stack) -> None:
    chat.expect_trouble("400")
    chat.page.route("**/v1/turns", lambda route: route.fulfill(status=400))
    chat.say("given up")
    chat.wait_for("unsent")
    chat.page.unroute("**/v1/turns")
    chat.expect_trouble("404.*messages")
    chat.reload()
    chat.wait_for("unsent")
    chat.press("Send again")
    chat.wait_for("done")
    assert said(stack, "given up") == 1


def test_a_refused_message_can_be_edited(chat: Chat) -> None:
    chat.expect_trouble("400")
    chat.fill_variable("x" * 33_000)
    chat.say("too much")
    chat.wait_for_words(re.compile("Not sent: variables.ability"))
    chat.press("Edit")
    expect(chat.message).to_have_value("too much")
    expect(chat.turns).to_have_count(0)


def test_answers_and_code_are_copied_as_the_model_wrote_them(visit: Callable[..., Chat], stack: Stack) -> None:
    chat = visit(stack, permissions=["clipboard-read", "clipboard-write"])
    chat.fill_variable()
    chat.say("How do I find all primes below n in Python?")
    chat.wait_for("done")
    answer = stack.turn(chat.turn_id)["output"]["content"]
    chat.press("Copy answer")
    expect(chat.page.get_by_role("button", name="Copied")).to_be_visible()
    assert chat.page.evaluate("navigator.clipboard.readText()") == answer
    chat.press("Copy code")
    wait_until("the code is copied", lambda: chat.page.evaluate("navigator.clipboard.readText()") != answer)
    code = chat.page.evaluate("navigator.clipboard.readText()")
    assert code == answer.partition("```python\n")[2].partition("```")[0]
    expect(chat.page.locator(".hl-keyword").first).to_have_text("def")
