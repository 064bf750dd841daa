"""The pages below a path prefix, as a reverse proxy serves them."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.support.chat_page import ChatPage
from tests.browser.support.operator_page import OperatorPage
from tests.support.processes import Stack


@pytest.fixture(scope="module")
def prefixed(start: Callable[..., Stack]) -> Stack:
    return start(INTURN_ROOT_PATH="/a/chat")


def test_a_chat_stays_below_its_prefix(prefixed: Stack, open_chat: Callable[..., ChatPage]) -> None:
    chat = open_chat(prefixed, "/a/chat/")
    chat.send("hello")
    chat.wait_for_state("done")
    assert chat.page.url.startswith(f"{prefixed.url}/a/chat/?session=")
    chat.reload()
    expect(chat.turns).to_have_count(1)


def test_the_operator_page_stays_below_its_prefix(prefixed: Stack, open_operator: Callable[..., OperatorPage]) -> None:
    operator = open_operator(prefixed, "/a/chat/operator")
    expect(operator.verdict).to_contain_text("All good.")
    operator.open_view("Workers")
    assert operator.page.url == f"{prefixed.url}/a/chat/operator?view=workers"
    operator.page.get_by_role("link", name="InTurn operator").click()
    expect(operator.heading).to_contain_text("Overview")
    assert operator.page.url == f"{prefixed.url}/a/chat/operator"
