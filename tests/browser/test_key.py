"""Where there are API keys, the page asks for one, and works with it."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.acceptance.delivery.test_tenants import make_key
from tests.browser.chat import Chat
from tests.support.processes import Stack, call
from tests.support.waiting import wait_until


def test_the_page_asks_for_a_key_and_keeps_it_for_the_tab(
    visit: Callable[..., Chat], start: Callable[..., Stack]
) -> None:
    stack = start(workers=1)
    api_key = make_key(stack, "acme")
    wait_until("keys are asked for", lambda: call(f"{stack.url}/v1/turns").status == 401)
    chat = visit(stack)
    chat.expect_trouble("401")
    box = chat.page.get_by_label("This service asks for an API key.")
    box.fill(api_key)
    box.press("Enter")
    chat.fill_variable()
    chat.say("hello")
    chat.wait_for("done")
    assert chat.answer().startswith("answer to hello")
    chat.reload()
    chat.wait_for("done")
    expect(box).to_have_count(0)
