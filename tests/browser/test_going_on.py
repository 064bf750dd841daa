"""An answer goes on, whatever happens to the page, to the worker or to the web process."""

import random
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.chat import Chat
from tests.support.processes import Stack
from tests.support.waiting import wait_until

SEED = 20261125
SLOWLY = "[words 60] [pace 0.05]"
BROKEN = "ERR_CONNECTION|ERR_INCOMPLETE|ERR_EMPTY|ERR_SOCKET"  # what a browser says of a service that is away


@pytest.fixture(scope="module")
def full(start: Callable[..., Stack]) -> Stack:
    """No room for streams."""
    return start(INTURN_MAX_STREAMS="0")


def final(stack: Stack, turn_id: str) -> str:
    content: str = stack.finished(turn_id)["output"]["content"]
    return content


def test_ten_reloads_at_random_moments_show_the_very_answer(chat: Chat, stack: Stack) -> None:
    chance = random.Random(SEED)
    chat.say("reloaded [words 150] [pace 0.06]")
    chat.wait_for_text()
    for _ in range(10):
        chat.page.wait_for_timeout(chance.randint(0, 300))  # the moment is what is random here
        chat.reload()
    assert stack.turn(chat.turn_id)["status"] == "in_progress", "all of them were in mid-answer"
    chat.wait_for("done")
    assert chat.answer() == final(stack, chat.turn_id)
    assert len(stack.messages(chat.session_id)) == 2


def test_when_its_worker_dies_another_one_goes_on_and_the_page_says_so(chat: Chat, stack: Stack) -> None:
    chat.say(f"orphaned {SLOWLY}")
    chat.wait_for_text()
    stack.holder(chat.turn_id).kill()
    chat.wait_for_words(re.compile("Its worker was lost; another one goes on."))
    chat.wait_for("done")
    assert chat.answer() == final(stack, chat.turn_id)
    expect(chat.turns.locator(".details")).to_contain_text("attempt 2")


def test_when_the_web_process_dies_the_page_reconnects(chat: Chat, stack: Stack) -> None:
    chat.expect_trouble(BROKEN)
    chat.say("cut off [words 100] [pace 0.05]")
    chat.wait_for_text()
    stack.web.kill()
    expect(chat.page.locator(".banner")).to_contain_text("Reconnecting…")
    stack.web = stack.start_web()
    chat.wait_for("done")
    assert chat.answer() == final(stack, chat.turn_id)
    expect(chat.page.locator(".banner")).to_have_count(0)


def test_a_second_tab_and_another_device_show_the_same(chat: Chat, visit: Callable[..., Chat], stack: Stack) -> None:
    chat.say("shared [words 80] [pace 0.05]")
    chat.wait_for_text()
    others = [visit(stack, f"/?session={chat.session_id}", beside=beside) for beside in (chat, None)]
    for each in (chat, *others):
        each.wait_for("done")
        assert each.answer() == final(stack, chat.turn_id)


def test_what_one_tab_says_the_other_one_shows(chat: Chat, visit: Callable[..., Chat], stack: Stack) -> None:
    chat.say("first")
    chat.wait_for("done")
    other = visit(stack, f"/?session={chat.session_id}", beside=chat)
    other.wait_for("done")
    chat.say("second [gate second]")
    other.wait_for("thinking")
    stack.open_gate("second")
    other.wait_for("done", count=2)


def test_seven_tabs_that_watch_an_answer_leave_each_other_usable(
    chat: Chat, visit: Callable[..., Chat], stack: Stack
) -> None:
    chat.say("seven [gate seven]")
    chat.wait_for("thinking")
    tabs = [chat, *(visit(stack, f"/?session={chat.session_id}", beside=chat) for _ in range(6))]
    for tab in tabs:
        tab.wait_for("thinking")
    tabs[-1].say("from the seventh")
    tabs[-1].wait_for("queued")
    stack.open_gate("seven")
    for tab in tabs:
        tab.wait_for("done", count=2)
        assert tab.troubles() == []


def test_a_hidden_tab_asks_nothing_and_goes_on_where_it_was_when_it_is_seen(chat: Chat, stack: Stack) -> None:
    chat.say(f"unseen {SLOWLY}")
    chat.wait_for_text()
    chat.hide(hidden=True)
    asked = chat.requests()
    final_text = final(stack, chat.turn_id)
    assert asked == []
    chat.hide(hidden=False)
    chat.wait_for("done")
    assert chat.answer() == final_text


def test_without_room_for_streams_the_answer_still_comes(full: Stack, visit: Callable[..., Chat]) -> None:
    chat = visit(full)
    chat.expect_trouble("503")
    chat.fill_variable()
    chat.say("polled [gate polled]")
    banner = chat.page.locator(".banner")
    expect(banner).to_have_text("Many are watching just now: the answer appears when it is whole.")
    full.open_gate("polled")
    chat.wait_for("done")
    assert chat.answer() == final(full, chat.turn_id)


def test_a_store_that_is_away_is_told_and_the_page_goes_on_by_itself(chat: Chat, stack: Stack) -> None:
    chat.expect_trouble("503")
    chat.say("hello")
    chat.wait_for("done")
    stack.server.kill()
    chat.reload()
    expect(chat.page.locator(".empty")).to_contain_text("Trying again…")
    stack.server.start()
    chat.wait_for("done")
    wait_until("the workers are back", lambda: stack.finished(stack.submit("after", "hello")))
