"""How each state of the chat page looks."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.chat import Chat
from tests.browser.looks import look
from tests.support.processes import Stack

QUESTION = "How do I find all primes below n in Python?"


@pytest.fixture(scope="module")
def offline(start: Callable[..., Stack]) -> Stack:
    """Nobody has named a model yet."""
    return start(OPENAI_BASE_URL="", OPENAI_API_KEY="")


def test_an_empty_page(visit: Callable[..., Chat], stack: Stack) -> None:
    look(visit(stack), "empty")


def test_an_answer(chat: Chat, stack: Stack) -> None:
    for title in ("Plan the garden", "Why is the sky blue?", "Translate a haiku"):
        stack.finished(stack.submit(title.replace(" ", "-").rstrip("?"), title))
    chat.say(QUESTION)
    chat.wait_for("done")
    expect(chat.sessions.filter(has_text="Plan the garden")).to_have_count(1)
    look(chat, "answered")


def test_an_answer_being_written_and_a_turn_that_waits(chat: Chat) -> None:
    chat.say("Count slowly [words 300] [pace 0.05]")
    chat.say("And then backwards")
    chat.wait_for_text()
    chat.wait_for("queued")
    look(chat, "streaming")
    chat.press("Stop")
    chat.wait_for("done")
    look(chat, "stopped")


def test_thinking(chat: Chat, stack: Stack) -> None:
    chat.say("Think [gate look]")
    chat.wait_for_words("Thinking · 1 s")
    look(chat, "thinking")
    stack.open_gate("look")


def test_failed(chat: Chat) -> None:
    chat.say("Fail, please [fail 401]")
    chat.wait_for("failed")
    look(chat, "failed")


def test_expired(visit: Callable[..., Chat], stack: Stack) -> None:
    stack.submit("expired", "The first [gate expired]")
    stack.finished(stack.submit("expired", "Too late", start_within_seconds=0.1))
    stack.open_gate("expired")
    chat = visit(stack, "/?session=expired")
    chat.wait_for_words("Expired: it could not be started in the time that it was given.")
    chat.wait_for("done")
    look(chat, "expired")


def test_interrupted(visit: Callable[..., Chat], stack: Stack) -> None:
    stack.submit("interrupted", "Count slowly [words 300] [pace 0.05]")
    chat = visit(stack, "/?session=interrupted")
    chat.wait_for_text()
    stack.finished(stack.submit("interrupted", "No, stop", on_busy="interrupt"))
    chat.wait_for_words("Interrupted by a later message. What it had said is kept.")
    chat.wait_for("done")
    look(chat, "interrupted")


def test_offline_and_unsent(chat: Chat) -> None:
    chat.expect_trouble("ERR_INTERNET_DISCONNECTED")
    chat.say("hello")
    chat.wait_for("done")
    chat.page.context.set_offline(True)
    chat.say("Can you hear me?")
    chat.wait_for("unsent")
    look(chat, "offline")
    chat.page.context.set_offline(False)
    chat.wait_for("done", count=2)


def test_a_deleted_session_that_can_be_had_back(chat: Chat) -> None:
    chat.say("Delete me")
    chat.wait_for("done")
    chat.page.get_by_role("button", name="Delete Delete me", exact=True).click()
    expect(chat.page.get_by_role("button", name="Undo")).to_be_visible()
    look(chat, "undo")


def test_the_sheet_of_shortcuts(chat: Chat) -> None:
    chat.page.keyboard.press("Control+Slash")
    expect(chat.page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    look(chat, "help")


def test_the_list_of_sessions_on_a_phone(chat: Chat) -> None:
    chat.say("On the road")
    chat.wait_for("done")
    chat.page.set_viewport_size({"width": 375, "height": 740})
    expect(chat.page.get_by_role("navigation", name="Sessions")).to_be_hidden()
    chat.page.get_by_role("button", name="Sessions").click()
    expect(chat.sessions.first).to_be_visible()
    look(chat, "list")
    chat.page.set_viewport_size({"width": 375, "height": 740})
    chat.page.keyboard.press("Escape")
    expect(chat.page.get_by_role("navigation", name="Sessions")).to_be_hidden()


def test_the_offline_model_says_so_and_how_to_name_another(visit: Callable[..., Chat], offline: Stack) -> None:
    chat = visit(offline)
    chat.fill_variable()
    chat.page.get_by_text("The built-in offline model answers").click()
    expect(chat.page.locator(".offline-model")).to_contain_text("OPENAI_API_KEY=… make up")
    expect(chat.page.locator(".offline-model")).to_contain_text("OPENAI_BASE_URL=")
    chat.say("What does cosine mean?")
    chat.wait_for("done")
    look(chat, "offline-model")
