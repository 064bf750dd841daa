"""Screenshots and accessibility of each state of the chat page."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.support.appearance import check_appearance
from tests.browser.support.chat_page import ChatPage
from tests.support.processes import Stack, call

QUESTION = "How do I find all primes below n in Python?"
MARKDOWN = r"""Inline \(a_1 + b_1\) and $a_1 * b_1$, take 10~20 g, not ~~30 g~~:

\[
\int_0^1 x^2\,dx = \frac{1}{3} \\
- y_1
\]

**重要：**内容，这是**“重点”**内容。

| a | b |
|---|:-:|
| 1 \| 2 | `x\|y` and more |
| line<br>two | **b** |

مرحبا! هذه فقرة بالعربية (مع أقواس) و `a + b` في الوسط.

1. أولا
2. ثانيا

> قال هذا

```python
print("مرحبا")
```
"""


@pytest.fixture(scope="module")
def offline(start: Callable[..., Stack]) -> Stack:
    """Start a service without a model."""
    return start(OPENAI_BASE_URL="", OPENAI_API_KEY="")


def test_empty_page(open_chat: Callable[..., ChatPage], stack: Stack) -> None:
    check_appearance(open_chat(stack), "empty")


def test_answer(chat: ChatPage, stack: Stack) -> None:
    for title in ("Plan the garden", "Why is the sky blue?", "Translate a haiku"):
        stack.wait_until_finished(stack.submit(title.replace(" ", "-").rstrip("?"), title))
    chat.send(QUESTION)
    chat.wait_for_state("done")
    expect(chat.sessions.filter(has_text="Plan the garden")).to_have_count(1)
    check_appearance(chat, "answered")


def test_markdown_and_right_to_left_text(open_chat: Callable[..., ChatPage], stack: Stack) -> None:
    messages = [{"role": "user", "content": "مرحبا! كيف (حالك)؟"}, {"role": "assistant", "content": MARKDOWN}]
    call(f"{stack.url}/v1/sessions/markdown/messages", method="PUT", body={"messages": messages})
    chat = open_chat(stack, "/?session=markdown")
    expect(chat.sessions.filter(has_text="مرحبا")).to_have_count(1)
    check_appearance(chat, "markdown")


def test_empty_variable_and_too_long_message(open_chat: Callable[..., ChatPage], stack: Stack) -> None:
    chat = open_chat(stack)
    chat.choose_assistant("example")
    chat.send("hello")
    expect(chat.page.get_by_text("Fill in ability first")).to_be_visible()
    chat.message.fill("too long " * 20_000)
    expect(chat.page.get_by_text("Too long to send")).to_be_visible()
    check_appearance(chat, "refused")


def test_streaming_answer_and_waiting_turn(chat: ChatPage) -> None:
    chat.send("Count slowly [words 300] [pace 0.2]")
    chat.send("And then backwards")
    chat.wait_for_answer_text()
    chat.wait_for_state("queued")
    check_appearance(chat, "streaming")
    chat.click_button("Stop")
    chat.wait_for_state("done")
    check_appearance(chat, "stopped")


def test_thinking(chat: ChatPage, stack: Stack) -> None:
    chat.send("Think [gate appearance]")
    chat.wait_for_status(re.compile(r"Thinking · \d+ s"))
    check_appearance(chat, "thinking")
    stack.open_gate("appearance")


def test_failed(chat: ChatPage) -> None:
    chat.send("Fail, please [fail 401]")
    chat.wait_for_state("failed")
    check_appearance(chat, "failed")


def test_expired(open_chat: Callable[..., ChatPage], stack: Stack) -> None:
    stack.submit("expired", "The first [gate expired]")
    stack.wait_until_finished(stack.submit("expired", "Too late", start_within_seconds=0.1))
    stack.open_gate("expired")
    chat = open_chat(stack, "/?session=expired")
    chat.wait_for_status("Expired: the turn did not start in time.")
    chat.wait_for_state("done")
    check_appearance(chat, "expired")


def test_interrupted(open_chat: Callable[..., ChatPage], stack: Stack) -> None:
    stack.submit("interrupted", "Count slowly [words 300] [pace 0.2]")
    chat = open_chat(stack, "/?session=interrupted")
    chat.wait_for_answer_text()
    stack.wait_until_finished(stack.submit("interrupted", "No, stop", on_busy="interrupt"))
    chat.wait_for_status("Interrupted by a later message. The partial answer is kept.")
    chat.wait_for_state("done")
    check_appearance(chat, "interrupted")


def test_offline_with_unsent_message(chat: ChatPage) -> None:
    chat.allow_error("ERR_INTERNET_DISCONNECTED")
    chat.send("hello")
    chat.wait_for_state("done")
    chat.page.context.set_offline(True)
    chat.send("Can you hear me?")
    chat.wait_for_state("unsent")
    check_appearance(chat, "offline")
    chat.page.context.set_offline(False)
    chat.wait_for_state("done", count=2)


def test_deleted_session_with_undo(chat: ChatPage) -> None:
    chat.send("Delete me")
    chat.wait_for_state("done")
    chat.page.get_by_role("button", name="Delete Delete me", exact=True).click()
    expect(chat.page.get_by_role("button", name="Undo")).to_be_visible()
    check_appearance(chat, "undo")


def test_message_that_the_service_limits(chat: ChatPage) -> None:
    chat.allow_error("429")
    chat.page.route("**/v1/turns", lambda route: route.fulfill(status=429, headers={"Retry-After": "60"}))
    chat.send("Slowly, please")
    chat.wait_for_state("waiting")
    check_appearance(chat, "rate-limited")


def test_settings_dialog(chat: ChatPage) -> None:
    chat.click_button("Settings")
    expect(chat.page.get_by_role("dialog", name="Settings")).to_be_visible()
    check_appearance(chat, "settings")


def test_shortcuts_dialog(chat: ChatPage) -> None:
    chat.page.keyboard.press("Control+Slash")
    expect(chat.page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    check_appearance(chat, "help")


def test_session_list_on_a_phone(chat: ChatPage) -> None:
    chat.send("On the road")
    chat.wait_for_state("done")
    chat.page.set_viewport_size({"width": 375, "height": 740})
    expect(chat.page.get_by_role("navigation", name="Chats")).to_be_hidden()
    chat.page.get_by_role("button", name="Chats").click()
    expect(chat.sessions.first).to_be_visible()
    expect(chat.page.get_by_role("navigation").get_by_role("button", name="New chat")).to_be_focused()
    check_appearance(chat, "list")
    chat.page.set_viewport_size({"width": 375, "height": 740})
    chat.page.keyboard.press("Escape")
    expect(chat.page.get_by_role("navigation", name="Chats")).to_be_hidden()
    expect(chat.page.get_by_role("button", name="Chats")).to_be_focused()


def test_demo_mode_explains_how_to_use_a_real_model(open_chat: Callable[..., ChatPage], offline: Stack) -> None:
    chat = open_chat(offline)
    chat.page.get_by_text("Demo mode: no AI model is configured").click()
    expect(chat.page.locator(".offline-model")).to_contain_text("OPENAI_API_KEY=… make up")
    expect(chat.page.locator(".offline-model")).to_contain_text("OPENAI_BASE_URL=")
    chat.send("What does cosine mean?")
    chat.wait_for_state("done")
    check_appearance(chat, "offline-model")
