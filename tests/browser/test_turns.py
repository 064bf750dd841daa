"""Sending messages and following their turns."""

import json
import re
from collections.abc import Callable

from playwright.sync_api import Route, expect

from tests.browser.support.chat_page import ChatPage
from tests.support.processes import EXAMPLE, Stack, call
from tests.support.waiting import wait_until
from turns.config.settings import Settings


def model_calls(stack: Stack, text: str) -> int:
    """Count the calls of the model with this text."""
    return sum(text in asked["messages"][-1]["content"] for asked in stack.model_requests())


def test_messages_are_answered_with_the_history(chat: ChatPage, stack: Stack) -> None:
    chat.send("hello")
    chat.wait_for_state("done")
    chat.send("and again")
    chat.wait_for_state("done", count=2)
    roles = [message["role"] for message in stack.messages(chat.session_id)]
    assert roles == ["user", "assistant", "user", "assistant"]
    assert chat.last_answer() == stack.turn(chat.turn_id)["output"]["content"]


def test_required_variables_of_the_assistant_are_requested(open_chat: Callable[..., ChatPage], stack: Stack) -> None:
    chat = open_chat(stack)
    chat.choose_assistant("example")
    chat.send("hello")
    ability = chat.page.get_by_label("ability")
    expect(ability).to_be_focused()
    expect(ability).to_have_accessible_description("Fill in ability first: Subject, such as math")
    expect(
        chat.page.get_by_role("alert").filter(has_text="Fill in ability first: Subject, such as math")
    ).to_be_visible()
    expect(chat.message).to_have_value("hello")
    chat.fill_variable("riddles")
    expect(chat.page.get_by_text("Fill in ability first")).to_have_count(0)
    chat.message.press("Enter")
    chat.wait_for_state("done")
    assert "riddles" in stack.model_requests()[-1]["messages"][0]["content"]
    chat.reload()
    expect(chat.page.get_by_label("ability")).to_have_value("riddles")


def test_long_paste_stays_whole_and_is_not_sent(chat: ChatPage) -> None:
    sentence = chat.page.get_by_text("Too long to send: 140,000 bytes. The limit is 131,072 bytes.")
    chat.message.focus()
    chat.page.keyboard.insert_text("é" * 70_000)
    expect(sentence).to_be_visible()
    chat.message.press("Enter")
    chat.click_button("Send")
    expect(chat.message).to_have_value("é" * 70_000)
    expect(chat.message).to_be_focused()
    expect(chat.turns).to_have_count(0)
    chat.reload()
    expect(chat.message).to_have_value("é" * 70_000)
    expect(sentence).to_be_visible()
    chat.send("é" * (Settings().max_input_bytes // 2))
    expect(chat.page.get_by_text("Too long to send")).to_have_count(0)
    chat.wait_for_state("done")


def test_enter_sends_except_with_shift_or_while_composing(chat: ChatPage) -> None:
    chat.message.fill("one")
    chat.message.press("Shift+Enter")
    chat.page.keyboard.type("two")
    expect(chat.message).to_have_value("one\ntwo")
    chat.message.dispatch_event("keydown", {"key": "Enter", "isComposing": True, "bubbles": True, "cancelable": True})
    expect(chat.message).to_have_value("one\ntwo")
    chat.message.press("Enter")
    expect(chat.message).to_have_value("")
    chat.wait_for_state("done")
    expect(chat.user_messages).to_have_text("one\ntwo", use_inner_text=True)


def test_status_shows_elapsed_time(chat: ChatPage, stack: Stack) -> None:
    chat.send("slow [gate thinking] [hold answering]")
    chat.wait_for_status(re.compile(r"Thinking · \d+ s"))
    stack.open_gate("thinking")
    chat.wait_for_status(re.compile("Answering"))
    stack.open_gate("answering")
    chat.wait_for_state("done")
    expect(chat.turns.locator(".details")).to_contain_text("tokens")


def test_stopped_answer_stays_visible_and_in_the_history(chat: ChatPage, stack: Stack) -> None:
    chat.send("long [words 400] [pace 0.1]")
    expect(chat.turns.last).to_contain_text("word0")
    chat.click_button("Stop")
    chat.wait_for_status("Stopped. The partial answer is kept.")
    assert "word0" in chat.last_answer()
    assert [message["incomplete"] for message in stack.messages(chat.session_id)] == [False, True]


def test_failed_turn_shows_the_reason_and_can_be_retried(chat: ChatPage) -> None:
    chat.send("bad [fail 400 1]")
    chat.wait_for_status("Failed: The model's provider rejected the request.")
    chat.click_button("Retry")
    chat.wait_for_state("done")
    expect(chat.turns_in_state("failed")).to_have_count(1)
    expect(chat.page.get_by_role("button", name="Retry")).to_have_count(0)


def test_second_attempt_is_shown_in_the_details(chat: ChatPage) -> None:
    chat.send("flaky [fail 503 1]")
    chat.wait_for_state("done")
    expect(chat.turns.locator(".details")).to_contain_text("attempt 2")


def test_waiting_turns_show_their_queue_position(chat: ChatPage, stack: Stack) -> None:
    for n in (1, 2, 3):
        chat.send(f"number {n} [gate queue-{n}]")
    chat.wait_for_status("Waiting for 2 previous answers.")
    stack.open_gate("queue-1")
    chat.wait_for_state("done")
    expect(chat.turns.nth(2).locator(".label")).to_have_text("Waiting for the previous answer.")
    chat.click_button("Cancel")
    chat.wait_for_state("stopped")
    stack.open_gate("queue-2")
    chat.wait_for_state("done", count=2)


def test_regenerate_replaces_the_answer(chat: ChatPage, stack: Stack) -> None:
    chat.send("once more")
    chat.wait_for_state("done")
    first = chat.turns.first.get_attribute("data-turn")
    chat.click_button("Regenerate")
    expect(chat.turns).to_have_count(1)
    expect(chat.turns.first).not_to_have_attribute("data-turn", first or "")
    chat.wait_for_state("done")
    expect(chat.turns).to_have_count(1)
    assert len(stack.messages(chat.session_id)) == 2


def test_an_edited_message_takes_the_place_of_the_last_one(chat: ChatPage, stack: Stack) -> None:
    chat.send("one")
    chat.wait_for_state("done")
    chat.click_button("Edit")
    expect(chat.message).to_have_value("one")
    chat.send("eins")
    expect(chat.turns).to_have_count(1)
    expect(chat.user_messages).to_have_text("eins")
    chat.wait_for_state("done")
    assert stack.messages(chat.session_id)[0]["content"] == "eins"


def test_editing_an_earlier_message_opens_a_new_chat(chat: ChatPage, stack: Stack) -> None:
    for n, text in enumerate(("one", "two"), start=1):
        chat.send(text)
        chat.wait_for_state("done", count=n)
    session = chat.session_id
    chat.turns.first.get_by_role("button", name="Edit").click()
    chat.send("eins")
    chat.page.wait_for_url(re.compile("session=fork-"))
    chat.wait_for_state("done")
    expect(chat.user_messages).to_have_text(["eins"])
    assert len(stack.messages(session)) == 4


def test_a_chat_continues_in_a_branch(chat: ChatPage, stack: Stack) -> None:
    for n, text in enumerate(("one", "two"), start=1):
        chat.send(text)
        chat.wait_for_state("done", count=n)
    chat.turns.first.get_by_role("button", name="Branch").click()
    chat.page.wait_for_url(re.compile("session=fork-"))
    expect(chat.user_messages).to_have_text(["one"])
    chat.send("zwei")
    chat.wait_for_state("done")
    assert [message["content"] for message in stack.messages(chat.session_id)][::2] == ["one", "zwei"]


def test_message_written_offline_is_sent_once(chat: ChatPage, stack: Stack) -> None:
    chat.allow_error("ERR_INTERNET_DISCONNECTED|ERR_FAILED")
    chat.page.context.set_offline(True)
    chat.send("written on a train")
    chat.wait_for_status(re.compile("Not sent yet: The service cannot be reached."))
    expect(chat.page.locator(".banner")).to_contain_text("You are offline")
    chat.page.context.set_offline(False)
    chat.wait_for_state("done")
    assert model_calls(stack, "written on a train") == 1


def test_lost_response_creates_no_second_turn(chat: ChatPage, stack: Stack) -> None:
    chat.allow_error("ERR_FAILED")
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
    chat.send("doubled?")
    chat.wait_for_state("done")
    assert len(keys) == 2
    assert keys[0] == keys[1]
    assert model_calls(stack, "doubled?") == 1
    assert len(stack.messages(chat.session_id)) == 2


def test_rate_limited_message_waits_and_is_sent(chat: ChatPage, stack: Stack) -> None:
    chat.allow_error("429")
    retry_after = iter(["4", "60", "60"])

    def limit(route: Route) -> None:
        if seconds := next(retry_after, None):
            route.fulfill(status=429, headers={"Retry-After": seconds})
        else:
            route.continue_()

    chat.page.route("**/v1/turns", limit)
    chat.send("patience")
    chat.wait_for_status(re.compile(r"Waiting, sending again in \d s…"))
    chat.wait_for_status(re.compile(r"Waiting, sending again in \d\d s…"))
    chat.click_button("Cancel")
    expect(chat.turns).to_have_count(0)
    expect(chat.message).to_have_value("patience")
    chat.message.press("Enter")
    chat.wait_for_state("waiting")
    chat.allow_error("404.*messages")  # the session does not exist yet
    chat.reload()
    chat.wait_for_state("done")
    assert model_calls(stack, "patience") == 1


def test_long_rate_limit_is_reported(chat: ChatPage) -> None:
    chat.allow_error("429")
    problem = {"code": "tokens_spent", "detail": "The tokens for today are used up."}
    chat.page.route(
        "**/v1/turns", lambda route: route.fulfill(status=429, headers={"Retry-After": "7200"}, json=problem)
    )
    chat.send("too late")
    chat.wait_for_status("Not sent: The tokens for today are used up.")
    chat.wait_for_state("unsent")


def test_suggestion_fills_the_message_box(chat: ChatPage) -> None:
    chat.page.get_by_role("button", name="Plan a week of vegetarian dinners").click()
    expect(chat.message).to_have_value("Plan a week of vegetarian dinners")
    expect(chat.message).to_be_focused()
    expect(chat.turns).to_have_count(0)


def test_each_chat_keeps_its_assistant(chat: ChatPage, stack: Stack) -> None:
    stack.wait_until_finished(stack.submit("of-example", "hello", **EXAMPLE))
    chat.page.goto(f"{stack.url}/?session=of-example")
    choice = chat.page.get_by_role("combobox", name="Assistant")
    expect(choice).to_have_value("example")
    chat.page.keyboard.press("Control+Shift+KeyO")
    expect(choice).to_have_value("default")


def test_unsent_message_survives_a_reload(chat: ChatPage, stack: Stack) -> None:
    chat.allow_error("ERR_FAILED")
    chat.page.route("**/v1/turns", lambda route: route.abort())
    chat.send("before the reload")
    chat.wait_for_status(re.compile("Not sent yet"))
    chat.page.unroute("**/v1/turns")
    chat.allow_error("404.*messages")  # the session does not exist yet
    chat.reload()
    chat.wait_for_state("done")
    assert model_calls(stack, "before the reload") == 1


def test_reload_keeps_the_order_of_unsent_messages(chat: ChatPage, stack: Stack) -> None:
    chat.allow_error("503")
    chat.page.route("**/v1/turns", lambda route: route.fulfill(status=503, headers={"Retry-After": "60"}))
    chat.send("written first")
    chat.wait_for_status(re.compile("Retrying in"))
    chat.send("written second")
    chat.wait_for_state("sending")
    chat.page.unroute("**/v1/turns")
    chat.allow_error("404.*messages")  # the session does not exist yet
    chat.reload()
    chat.wait_for_state("done", count=2)
    assert [message["content"] for message in stack.messages(chat.session_id)[::2]] == [
        "written first",
        "written second",
    ]


def test_rejected_message_waits_for_the_user_after_a_reload(chat: ChatPage, stack: Stack) -> None:
    chat.allow_error("400")
    chat.page.route("**/v1/turns", lambda route: route.fulfill(status=400))
    chat.send("given up")
    chat.wait_for_state("unsent")
    chat.page.unroute("**/v1/turns")
    chat.allow_error("404.*messages")
    chat.reload()
    chat.wait_for_state("unsent")
    chat.click_button("Send again")
    chat.wait_for_state("done")
    assert model_calls(stack, "given up") == 1


def test_refused_message_can_be_edited(chat: ChatPage) -> None:
    chat.allow_error("400")
    chat.choose_assistant("example")
    chat.fill_variable("x" * 101)
    chat.send("too much")
    chat.wait_for_status(re.compile("Not sent: variables.ability"))
    chat.click_button("Edit")
    expect(chat.message).to_have_value("too much")
    expect(chat.turns).to_have_count(0)


def test_copied_text_is_what_the_model_wrote(open_chat: Callable[..., ChatPage], stack: Stack) -> None:
    chat = open_chat(stack, permissions=["clipboard-read", "clipboard-write"])
    chat.send("How do I find all primes below n in Python?")
    chat.wait_for_state("done")
    answer = stack.turn(chat.turn_id)["output"]["content"]
    chat.click_button("Copy")
    expect(chat.page.get_by_role("button", name="Copied")).to_be_visible()
    assert chat.page.evaluate("navigator.clipboard.readText()") == answer
    chat.click_button("Copy code")
    wait_until("the code is copied", lambda: chat.page.evaluate("navigator.clipboard.readText()") != answer)
    code = chat.page.evaluate("navigator.clipboard.readText()")
    assert code == answer.partition("```python\n")[2].partition("```")[0]
    expect(chat.page.locator(".hl-keyword").first).to_have_text("def")


def test_a_failed_question_is_shown_after_its_record_has_expired(
    open_chat: Callable[..., ChatPage], stack: Stack
) -> None:
    for text in ("What does cosine mean?", "[fail 400] lost", "and its inverse"):
        stack.wait_until_finished(stack.submit("without-record", text))
    chat = open_chat(stack)
    nothing = json.dumps({"object": "list", "data": [], "after": None})
    chat.page.route("**/v1/turns?*", lambda route: route.fulfill(body=nothing, content_type="application/json"))
    chat.page.goto(f"{stack.url}/?session=without-record")
    expect(chat.user_messages).to_have_text(["What does cosine mean?", "[fail 400] lost", "and its inverse"])
    expect(chat.turns_in_state("failed").locator(".turn-status")).to_contain_text("Failed: ")
