"""Screenshots and accessibility of each state of the operator page, and texts that need a slow setup."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.support.appearance import check_appearance
from tests.browser.support.operator_page import OperatorPage
from tests.support.processes import Stack, call
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def stack(start: Callable[..., Stack]) -> Stack:
    """Start a service that has no worker at first."""
    return start(workers=0, INTURN_CONCURRENCY="2")


def is_second_attempt(turn: dict[str, Any]) -> bool:
    return (turn["attempt"], turn["status"]) == (2, "in_progress")


def test_new_service_and_then_turns_without_a_worker(open_operator: Callable[..., OperatorPage], stack: Stack) -> None:
    operator = open_operator(stack)
    expect(operator.verdict).to_contain_text("No worker is running. No turn is waiting yet; the next one will.")
    expect(operator.view).to_contain_text("No live turns. Send a message in the chat")
    check_appearance(operator, "operator-empty")
    turn_id = stack.submit("waiting", "hello")
    expect(operator.verdict).to_contain_text(
        "Users are waiting: no worker is running. 1 accepted turn cannot continue."
    )
    expect(operator.verdict).to_contain_text("Start one with make worker")
    operator.open("/operator?view=session&tenant=-&session_id=waiting")
    expect(operator.view).to_contain_text("No worker is alive")
    check_appearance(operator, "operator-no-worker")
    stack.workers = [stack.start_worker()]
    stack.wait_until_ready(workers=1)
    stack.wait_until_finished(turn_id)


def test_busy_service(open_operator: Callable[..., OperatorPage], stack: Stack) -> None:
    for n in range(3):
        stack.wait_until_finished(stack.submit(f"failed-{n}", "hello [fail 401]"))
    stack.wait_until_finished(stack.submit("too-long", "hello [fail 400] [code context_length_exceeded]"))
    turn_id = stack.submit("writing", "[fail 503 1] Write a story [words 2000] [pace 0.05]", user_id="alice")
    wait_until("the second attempt runs", lambda: is_second_attempt(stack.turn(turn_id)))
    stack.submit("thinking", "Think [gate appearance]")
    for n in range(3):
        stack.submit("thinking", f"And then {n}")
        stack.submit(f"waiting-{n}", "Think [gate appearance]")

    operator = open_operator(stack)
    expect(operator.verdict).to_contain_text("Users are waiting.")
    operator.page.get_by_text("These plots as a table").click()
    check_appearance(operator, "operator-busy", is_full_page=True)

    operator.open_view("Live")
    expect(operator.rows("Live turns")).to_have_count(5)
    check_appearance(operator, "operator-live", is_full_page=True)

    operator.find(turn_id)
    expect(operator.view).to_contain_text("answering for")
    operator.click_button("Show message text")
    expect(operator.view).to_contain_text("Write a story")
    check_appearance(operator, "operator-turn", is_full_page=True)

    operator.open("/operator?view=session&tenant=-&session_id=thinking")
    expect(operator.rows("Live turns of this session")).to_have_count(4)
    check_appearance(operator, "operator-session")

    operator.open_view("Failed")
    expect(operator.rows("Failed turns")).to_have_count(4)
    operator.page.get_by_label("Select turn_").first.check()
    check_appearance(operator, "operator-failed", is_full_page=True)
    operator.click_button("Discard all… with provider_authentication")
    check_appearance(operator, "operator-dialog")
    operator.confirm("Discard 3 failed turns?", "Discard 3 turns")
    expect(operator.rows("Bulk acts").first).to_contain_text("3 of 3")
    check_appearance(operator, "operator-jobs", is_full_page=True)

    operator.open_view("Workers")
    operator.click_button("Pause a part…")
    check_appearance(operator, "operator-pause-dialog")
    operator.click_button("Back")
    operator.click_button("Pause intake")
    operator.confirm("Pause intake?", "Pause intake")
    expect(operator.banners).to_contain_text("Intake paused")
    expect(operator.notice).to_contain_text("Paused: intake.")
    pause = {"reason": "Floods the provider", "for_seconds": 3600}
    call(f"{stack.url}/operator/pauses/tenant/acme", method="PUT", body=pause)
    expect(operator.banners).to_contain_text("Tenant acme paused for")
    check_appearance(operator, "operator-paused", is_full_page=True)
    operator.click_button("Resume tenant acme")
    operator.click_button("Resume intake")
    stack.open_gate("appearance")


def test_store_outage(open_operator: Callable[..., OperatorPage], stack: Stack) -> None:
    operator = open_operator(stack)
    operator.allow_error("503")
    expect(operator.number("Workers")).to_contain_text("1")
    stack.store.stop()
    expect(operator.banners).to_contain_text("The data below is from")
    check_appearance(operator, "operator-stale")
    fresh = open_operator(stack)
    fresh.allow_error("503")
    expect(fresh.verdict).to_contain_text("Status unknown.")
    check_appearance(fresh, "operator-unknown")
    stack.store.start()
    expect(fresh.number("Workers")).to_contain_text("1")


def test_views_of_a_search(open_operator: Callable[..., OperatorPage], stack: Stack) -> None:
    operator = open_operator(stack)
    stack.wait_until_finished(stack.submit("searched", "hello [fail 400]", user_id="alice"))
    operator.find("searched")
    expect(operator.rows("Last turns of the session")).to_have_count(1)
    check_appearance(operator, "operator-find")
    operator.open_view("All turns")
    expect(operator.rows("All turns")).not_to_have_count(0)
    check_appearance(operator, "operator-history")
