"""How each state of the operator page looks, and the words of those that a test of its own would be slow for."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.looks import look
from tests.browser.operator import Operator
from tests.support.processes import Stack
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def stack(start: Callable[..., Stack]) -> Stack:
    """Nobody works in it at first."""
    return start(workers=0, INTURN_CONCURRENCY="2")


def is_running_again(turn: dict[str, Any]) -> bool:
    return (turn["attempt"], turn["status"]) == (2, "in_progress")


def test_nothing_has_happened_and_then_nobody_works(operate: Callable[..., Operator], stack: Stack) -> None:
    operator = operate(stack)
    expect(operator.verdict).to_contain_text("No worker is alive. Nobody waits yet; the next turn will.")
    expect(operator.view).to_contain_text("No turn is live. Say something in the chat")
    look(operator, "operator-empty")
    stack.submit("nobody", "hello")
    expect(operator.verdict).to_contain_text("Users are waiting: no worker is alive. 1 accepted turn cannot go on.")
    expect(operator.verdict).to_contain_text("Start one with make worker")
    operator.go("/operator?view=session&tenant=-&session_id=nobody")
    expect(operator.view).to_contain_text("No worker is alive")
    look(operator, "operator-no-worker")
    stack.workers = [stack.start_worker()]
    stack.wait_until_ready(workers=1)


def test_a_busy_service(operate: Callable[..., Operator], stack: Stack) -> None:
    for n in range(3):
        stack.finished(stack.submit(f"failed-{n}", "hello [fail 401]"))
    stack.finished(stack.submit("too-long", "hello [fail 400] [code context_length_exceeded]"))
    turn_id = stack.submit("writing", "[fail 503 1] Tell me a tale [words 2000] [pace 0.05]", user_id="alice")
    wait_until("it is tried again", lambda: is_running_again(stack.turn(turn_id)))
    stack.submit("thinking", "Think [gate looks]")
    for n in range(3):
        stack.submit("thinking", f"And then {n}")
        stack.submit(f"waiting-{n}", "Think [gate looks]")

    operator = operate(stack)
    expect(operator.verdict).to_contain_text("Users are waiting.")
    operator.page.get_by_text("These plots as a table").click()
    look(operator, "operator-busy", is_whole=True)

    operator.open_view("Live turns")
    expect(operator.rows("Live turns")).to_have_count(5)
    look(operator, "operator-live", is_whole=True)

    operator.find(turn_id)
    expect(operator.view).to_contain_text("answering for")
    operator.press("Show what was said")
    expect(operator.view).to_contain_text("Tell me a tale")
    look(operator, "operator-turn", is_whole=True)

    operator.go("/operator?view=session&tenant=-&session_id=thinking")
    expect(operator.rows("Live turns of this session")).to_have_count(4)
    look(operator, "operator-session")

    operator.open_view("Failed")
    expect(operator.rows("Failed turns")).to_have_count(4)
    look(operator, "operator-failed", is_whole=True)
    operator.press("Retry 3 with provider_authentication")
    look(operator, "operator-question")
    operator.press("Leave it")

    operator.open_view("Workers")
    operator.press("Pause the intake")
    operator.confirm("Pause the intake?", "Pause the intake")
    expect(operator.banners).to_contain_text("The intake is paused")
    expect(operator.notice).to_contain_text("Paused the intake.")
    look(operator, "operator-paused", is_whole=True)
    operator.press("Resume the intake")
    stack.open_gate("looks")


def test_without_the_store(operate: Callable[..., Operator], stack: Stack) -> None:
    operator = operate(stack)
    operator.expect_trouble("503")
    expect(operator.number("Workers")).to_contain_text("1")
    stack.server.stop()
    expect(operator.banners).to_contain_text("What you see below is from")
    look(operator, "operator-old")
    fresh = operate(stack)
    fresh.expect_trouble("503")
    expect(fresh.verdict).to_contain_text("Nobody can tell.")
    look(fresh, "operator-unknown")
    stack.server.start()
    expect(fresh.number("Workers")).to_contain_text("1")
