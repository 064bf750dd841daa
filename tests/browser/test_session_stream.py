"""One connection shows all that other devices do in the open conversation, without a request of this page."""

from playwright.sync_api import expect

from tests.browser.support.chat_page import ChatPage
from tests.support.processes import Stack, call


def test_turns_of_another_device_appear_over_one_connection(chat: ChatPage, stack: Stack) -> None:
    chat.send("from this page")
    chat.wait_for_state("done")
    expect(chat.page.locator(".banner")).to_have_count(0)
    requests = chat.record_requests()
    chat.message.fill("a draft")
    turns = [stack.submit(chat.session_id, f"{text} [hold of-phone]") for text in ("from a phone", "and another")]
    chat.wait_for_state("queued")
    expect(chat.user_messages.last).to_contain_text("and another")
    chat.wait_for_state("streaming")
    stack.open_gate("of-phone")
    chat.wait_for_state("done", count=3)
    assert chat.last_answer() == stack.turn(turns[1])["output"]["content"]
    assert chat.message.input_value() == "a draft"
    streams = [request for request in requests if request.endswith("/events")]
    assert streams == [], "the connection of the first turn brings all others"
    assert [request for request in requests if request.startswith("GET /v1/turns")] == []


def test_a_cancellation_by_another_device_is_shown(chat: ChatPage, stack: Stack) -> None:
    chat.send("stopped elsewhere [gate never-opened]")
    chat.wait_for_state("thinking")
    call(f"{stack.url}/v1/turns/{chat.turn_id}/cancel", method="POST")
    chat.wait_for_state("stopped")


def test_an_erasure_by_another_device_is_shown_at_once(chat: ChatPage, stack: Stack) -> None:
    chat.send("to be erased")
    chat.wait_for_state("done")
    call(f"{stack.url}/v1/sessions/{chat.session_id}", method="DELETE")
    expect(chat.turns).to_have_count(0)
    chat.send("and begun anew")
    chat.wait_for_state("done")
    expect(chat.user_messages).to_have_text(["and begun anew"])


def test_reading_further_up_is_not_disturbed(chat: ChatPage, stack: Stack) -> None:
    for n in range(3):
        stack.wait_until_finished(stack.submit("long", f"{n} [words 300]"))
    chat.page.goto(f"{stack.url}/?session=long")
    chat.wait_for_state("done", count=3)
    chat.page.locator(".transcript").evaluate("region => region.scrollTo(0, 40)")
    expect(chat.page.get_by_role("button", name="Jump to latest")).to_be_visible()
    stack.submit("long", "more [words 60] [pace 0.02]")
    chat.wait_for_state("done", count=4)
    assert chat.page.locator(".transcript").evaluate("region => region.scrollTop") == 40
