"""Answers continue after reloads, lost connections, and the death of a worker or web process."""

import random
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.support.chat_page import ChatPage
from tests.support.processes import Stack
from tests.support.waiting import wait_until

SEED = 20261125
UNREACHABLE = "ERR_CONNECTION|ERR_INCOMPLETE|ERR_EMPTY|ERR_SOCKET"  # console errors of a service that is down


@pytest.fixture(scope="module")
def without_streams(start: Callable[..., Stack]) -> Stack:
    """Start a service that allows no event streams."""
    return start(INTURN_MAX_STREAMS="0")


def final_text(stack: Stack, turn_id: str) -> str:
    content: str = stack.wait_until_finished(turn_id)["output"]["content"]
    return content


def test_ten_reloads_at_random_times_show_the_whole_answer(chat: ChatPage, stack: Stack) -> None:
    rng = random.Random(SEED)
    chat.send("reloaded [hold middle] [words 100] [pace 0.05]")
    chat.wait_for_answer_text()
    for n in range(10):  # five times while the answer pauses, and then while it goes on
        chat.page.wait_for_timeout(rng.randint(0, 300))
        chat.reload()
        if n == 4:
            chat.wait_for_answer_text()
            stack.open_gate("middle")
    chat.wait_for_state("done")
    assert chat.last_answer() == final_text(stack, chat.turn_id)
    assert len(stack.messages(chat.session_id)) == 2


def test_page_reports_that_another_worker_takes_over(chat: ChatPage, stack: Stack) -> None:
    chat.send("orphaned [delay 2] [hold orphaned]")
    chat.wait_for_answer_text()
    stack.worker_of(chat.turn_id).kill()
    chat.wait_for_status(re.compile("The worker was lost. Restarting on another worker."))
    stack.open_gate("orphaned")
    chat.wait_for_state("done")
    assert chat.last_answer() == final_text(stack, chat.turn_id)
    expect(chat.turns.locator(".details")).to_contain_text("1 restart")


def test_page_reconnects_after_the_web_process_dies(chat: ChatPage, stack: Stack) -> None:
    chat.allow_error(UNREACHABLE)
    chat.send("cut off [hold cut]")
    chat.wait_for_answer_text()
    stack.web.kill()
    expect(chat.page.locator(".banner")).to_contain_text("Reconnecting…")
    stack.web = stack.start_web()
    stack.open_gate("cut")
    chat.wait_for_state("done")
    assert chat.last_answer() == final_text(stack, chat.turn_id)
    expect(chat.page.locator(".banner")).to_have_count(0)


def test_second_tab_and_other_device_show_the_same_answer(
    chat: ChatPage, open_chat: Callable[..., ChatPage], stack: Stack
) -> None:
    chat.send("shared [hold shared]")
    chat.wait_for_answer_text()
    others = [open_chat(stack, f"/?session={chat.session_id}", beside=beside) for beside in (chat, None)]
    stack.open_gate("shared")
    for each in (chat, *others):
        each.wait_for_state("done")
        assert each.last_answer() == final_text(stack, chat.turn_id)


def test_message_from_one_tab_appears_in_the_other(
    chat: ChatPage, open_chat: Callable[..., ChatPage], stack: Stack
) -> None:
    chat.send("first")
    chat.wait_for_state("done")
    other = open_chat(stack, f"/?session={chat.session_id}", beside=chat)
    other.wait_for_state("done")
    chat.send("second [gate second]")
    other.wait_for_state("thinking")
    stack.open_gate("second")
    other.wait_for_state("done", count=2)


def test_seven_tabs_following_one_answer_stay_usable(
    chat: ChatPage, open_chat: Callable[..., ChatPage], stack: Stack
) -> None:
    chat.send("seven [gate seven]")
    chat.wait_for_state("thinking")
    tabs = [chat, *(open_chat(stack, f"/?session={chat.session_id}", beside=chat) for _ in range(6))]
    for tab in tabs:
        tab.wait_for_state("thinking")
    tabs[-1].send("from the seventh")
    tabs[-1].wait_for_state("queued")
    stack.open_gate("seven")
    for tab in tabs:
        tab.wait_for_state("done", count=2)
        assert tab.errors() == []


def test_hidden_tab_sends_no_requests_and_catches_up_later(chat: ChatPage, stack: Stack) -> None:
    chat.send("unseen [hold unseen]")
    chat.wait_for_answer_text()
    chat.set_hidden(hidden=True)
    requests = chat.record_requests()
    stack.open_gate("unseen")
    expected = final_text(stack, chat.turn_id)
    assert requests == []
    chat.set_hidden(hidden=False)
    chat.wait_for_state("done")
    assert chat.last_answer() == expected


def test_answer_is_polled_when_no_stream_is_free(without_streams: Stack, open_chat: Callable[..., ChatPage]) -> None:
    chat = open_chat(without_streams)
    chat.allow_error("503")
    chat.send("polled [gate polled]")
    banner = chat.page.locator(".banner")
    expect(banner).to_have_text("Live updates are at capacity: the answer is shown when it is complete.")
    without_streams.open_gate("polled")
    chat.wait_for_state("done")
    assert chat.last_answer() == final_text(without_streams, chat.turn_id)


def test_page_recovers_by_itself_after_a_store_outage(chat: ChatPage, stack: Stack) -> None:
    chat.allow_error("503")
    chat.send("hello")
    chat.wait_for_state("done")
    stack.store.kill()
    chat.reload()
    expect(chat.page.locator(".empty")).to_contain_text("Retrying…")
    stack.store.start()
    chat.wait_for_state("done")
    wait_until("the workers are back", lambda: stack.wait_until_finished(stack.submit("after", "hello")))
