"""The chat page of a service with API keys."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.support.chat_page import ChatPage
from tests.support.processes import Stack, call
from tests.support.waiting import wait_until


def test_page_asks_for_key_and_keeps_it_in_the_tab(
    open_chat: Callable[..., ChatPage], start: Callable[..., Stack]
) -> None:
    stack = start(workers=1)
    api_key = stack.create_api_key("acme")
    wait_until("keys are required", lambda: call(f"{stack.url}/v1/turns").status == 401)
    chat = open_chat(stack)
    chat.allow_error("401")
    box = chat.page.get_by_label("Locked. Enter an API key.")
    box.fill("inturn_wrong")
    box.press("Enter")
    box = chat.page.get_by_label("Invalid, expired or revoked API key. Enter another one.")
    box.fill(api_key)
    box.press("Enter")
    chat.send("hello")
    chat.wait_for_state("done")
    assert chat.last_answer().startswith("answer to hello")
    chat.reload()
    chat.wait_for_state("done")
    expect(box).to_have_count(0)
