"""What an operator does at the page, with real workers: to look, to understand, to act."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.operator import Operator
from tests.support.processes import Stack, call, request
from tests.support.waiting import wait_until

PRIVATE = "what nobody need know"


@pytest.fixture(scope="module")
def operated(start: Callable[..., Stack]) -> Stack:
    return start(workers=1)


@pytest.fixture
def stack(operated: Stack) -> Stack:
    """As if no test had paused, broken or ended anything before."""
    operated.replace_dead()
    for switch in ("intake", "workers"):
        call(f"{operated.url}/operator/resume/{switch}", method="POST")
    return operated


@pytest.fixture
def operator(operate: Callable[..., Operator], stack: Stack) -> Operator:
    return operate(stack)


def fail(stack: Stack, session_id: str, said: str) -> str:
    turn_id = stack.submit(session_id, said)
    assert stack.finished(turn_id)["status"] == "failed"
    return turn_id


def acted(stack: Stack, action: str) -> list[dict[str, Any]]:
    """What the log tells of those who did that."""
    lines = [json.loads(line) for line in stack.logs().splitlines() if '"operator.acted"' in line]
    return [line for line in lines if line["action"] == action]


def test_a_glance_says_that_nobody_waits(operator: Operator, stack: Stack) -> None:
    stack.finished(stack.submit("calm", "hello"))
    expect(operator.verdict).to_contain_text("Users are served. Nobody waits")
    expect(operator.number("Workers")).to_contain_text("1")
    expect(operator.number("Wait, 95 %")).to_contain_text(" s")
    expect(operator.page).to_have_title(re.compile("Users are served"))


def test_why_a_user_waits_in_three_clicks(operator: Operator, stack: Stack) -> None:
    running = stack.submit("slow", "Think [gate slow]", user_id="alice")
    stack.submit("slow", "And then", user_id="alice")
    operator.find("alice")  # one
    operator.follow("slow")  # two
    expect(operator.heading).to_have_text("Session slow")
    expect(operator.view).to_contain_text("Its first turn runs on the worker")
    expect(operator.rows("Live turns of this session")).to_have_count(2)
    operator.follow(running[-8:])  # three
    expect(operator.view).to_contain_text("Run 1 began, attempt 1 on")
    expect(operator.view).to_contain_text("thinking for")
    stack.open_gate("slow")
    expect(operator.view).to_contain_text("Ended as completed")


def test_a_turn_tells_of_each_attempt_and_not_what_was_said(operator: Operator, stack: Stack) -> None:
    turn_id = stack.submit("twice", f"{PRIVATE} [fail 503 1]")
    stack.finished(turn_id)
    operator.find(turn_id)
    events = operator.view.get_by_role("list", name="What happened, in UTC").get_by_role("listitem")
    expect(events.nth(0)).to_contain_text("Accepted")
    expect(events.nth(1)).to_contain_text("Run 1 began, attempt 1 on")
    expect(events.nth(2)).to_contain_text("Failed, and another attempt follows provider_error")
    expect(events.nth(3)).to_contain_text("Run 2 began, attempt 2 on")
    expect(events.nth(-1)).to_contain_text("Ended as completed")
    assert PRIVATE not in operator.page.content()
    assert acted(stack, "read_text") == []
    operator.press("Show what was said")
    expect(operator.view).to_contain_text(PRIVATE)
    expect(operator.view).to_contain_text("answer to")
    assert [line["what"] for line in acted(stack, "read_text")] == [turn_id]
    operator.open_view("Workers")
    operator.page.go_back()
    expect(events.nth(0)).to_be_visible()
    assert PRIVATE not in operator.page.content()


def test_all_failed_turns_of_a_code_are_tried_again(operator: Operator, stack: Stack) -> None:
    for n in range(3):
        fail(stack, f"again-{n}", f"hello {n} [fail 401 1]")
    fail(stack, "other", "hello [fail 400]")
    operator.open_view("Failed")
    expect(operator.rows("Failed turns by code").first).to_contain_text("Look at OPENAI_API_KEY")
    operator.press("Retry 3 with provider_authentication")
    operator.confirm("Retry 3 failed turns?", "Retry 3 turns")
    expect(operator.notice).to_contain_text("3 of 3 turns asked again.")
    expect(operator.rows("Failed turns by code")).to_have_count(1)
    for n in range(3):
        wait_until("it is answered", lambda n=n: len(stack.messages(f"again-{n}")) == 2)  # type: ignore[misc]
    [line] = acted(stack, "retry_all")
    assert (line["what"], line["count"]) == ("provider_authentication", 3)
    operator.press("Discard 1 with provider_rejected")
    operator.confirm("Discard 1 failed turn?", "Discard 1 turn")
    expect(operator.view).to_contain_text("No failed turn waits for somebody.")


def test_nothing_is_done_when_there_are_others_meanwhile(operator: Operator, stack: Stack) -> None:
    operator.expect_trouble("409")
    fail(stack, "one", "hello [fail 400]")
    operator.open_view("Failed")
    operator.press("Discard 1 with provider_rejected")
    fail(stack, "two", "hello [fail 400]")
    operator.confirm("Discard 1 failed turn?", "Discard 1 turn")
    expect(operator.notice).to_contain_text("Not done: There are 2 of them now")
    expect(operator.rows("Failed turns")).to_have_count(2)
    operator.press("Discard 2 with provider_rejected")
    operator.confirm("Discard 2 failed turns?", "Discard 2 turns")
    expect(operator.number("Failed")).to_contain_text("0")


def test_one_failed_turn_is_tried_again_and_one_discarded(operator: Operator, stack: Stack) -> None:
    first, second = fail(stack, "first", "hello [fail 401 1]"), fail(stack, "second", "hello [fail 400]")
    operator.go("/operator?view=failed&code=provider_authentication")
    expect(operator.rows("Failed turns")).to_have_count(1)
    operator.press(f"Retry {first}")
    expect(operator.notice).to_contain_text("asked again, as a new turn: turn_")
    operator.notice.get_by_role("link").click()
    expect(operator.view).to_contain_text("Ended as completed")
    operator.find(second)
    operator.press(f"Discard {second}")
    expect(operator.notice).to_contain_text("no longer among the failed ones")
    expect(operator.number("Failed")).to_contain_text("0")
    assert [line["what"] for action in ("retry", "discard") for line in acted(stack, action)] == [first, second]


def test_workers_are_paused_and_resumed_and_all_can_see_it(operator: Operator, stack: Stack) -> None:
    operator.open_view("Workers")
    operator.press("Pause the workers")
    operator.confirm("Pause the workers?", "Pause the workers")
    expect(operator.banners).to_contain_text("The workers are paused, for")
    turn_id = stack.submit("paused", "hello")
    expect(operator.verdict).to_contain_text("The workers are paused.")
    operator.find("paused")
    operator.follow("paused")
    expect(operator.view).to_contain_text("An operator has paused the workers")
    operator.press("Resume the workers")
    expect(operator.banners).to_have_count(0)
    assert stack.finished(turn_id)["status"] == "completed"
    assert [line["what"] for line in acted(stack, "pause")] == ["workers"]


def test_the_intake_is_paused_and_resumed(operator: Operator, stack: Stack) -> None:
    operator.open_view("Workers")
    operator.press("Pause the intake")
    operator.confirm("Pause the intake?", "Pause the intake")
    expect(operator.verdict).to_contain_text("New turns are refused.")
    refused = call(f"{stack.url}/v1/turns", method="POST", body=request("late", "hello"))
    assert refused.status == 503
    operator.press("Resume the intake")
    expect(operator.verdict).not_to_contain_text("New turns are refused.")
    stack.submit("late", "hello")


def test_an_address_leads_to_what_was_seen(operator: Operator, stack: Stack) -> None:
    stack.submit("shared", "Think [gate shared]")
    operator.open_view("Live turns")
    operator.page.get_by_label("State").select_option("in_progress")
    operator.page.get_by_label("Id has").fill("sha")
    operator.page.get_by_label("Id has").press("Enter")
    expect(operator.rows("Live turns")).to_have_count(1)
    assert operator.page.url.endswith("/operator?view=live&status=in_progress&text=sha")
    operator.reload()
    expect(operator.page.get_by_label("Id has")).to_have_value("sha")
    expect(operator.rows("Live turns")).to_have_count(1)
    operator.find("nothing-like-that")
    expect(operator.view).to_contain_text("No live turn matches.")
    operator.page.go_back()
    expect(operator.rows("Live turns")).to_have_count(1)
    stack.open_gate("shared")


def test_the_plots_are_a_table_too(operator: Operator, stack: Stack) -> None:
    stack.finished(stack.submit("plotted", "hello"))
    for span, points in (("6 h", 72), ("24 h", 96), ("15 min", 15)):
        operator.page.get_by_role("link", name=span, exact=True).click()
        operator.page.get_by_text("These plots as a table").click()
        expect(operator.rows("The plots as a table")).to_have_count(points)
        operator.page.get_by_text("These plots as a table").click()
    completed = operator.page.locator(".bars path.first")
    operator.wait_until("the plot has a bar", lambda: completed.get_attribute("d"))


def test_a_hidden_tab_asks_for_nothing(operator: Operator, operate: Callable[..., Operator], stack: Stack) -> None:
    operator.hide(hidden=True)
    asked = operator.requests()
    beside = operate(stack)
    seen = beside.requests()
    beside.wait_until("the one in sight has looked twice", lambda: sum("stats.json" in line for line in seen) >= 2)
    assert asked == []
    operator.hide(hidden=False)
    operator.wait_until("it looks again", lambda: asked)


def test_what_is_not_there_is_said_so(operator: Operator) -> None:
    operator.expect_trouble("404")
    operator.find("turn_" + "f" * 32)
    expect(operator.view).to_contain_text("There is no such turn")
    operator.find("idle")
    operator.follow("the session idle")
    expect(operator.view).to_contain_text("There is no such session")


def test_everything_by_keyboard_alone(operator: Operator, stack: Stack) -> None:
    stack.submit("by-hand", "Think [gate keys]")
    keys = operator.page.keyboard
    expect(operator.number("Workers")).to_contain_text("1")
    keys.press("/")
    keys.type("by-hand")
    keys.press("Enter")
    expect(operator.rows("Live turns")).to_have_count(1)
    operator.tab_to("by-hand")
    keys.press("Enter")
    expect(operator.heading).to_have_text("Session by-hand")
    expect(operator.heading).to_be_focused()
    operator.go("/operator?view=workers")
    operator.tab_to("Pause the intake")
    keys.press("Enter")
    expect(operator.question.get_by_role("button", name="Leave it")).to_be_focused()
    keys.press("Escape")
    expect(operator.question).to_have_count(0)
    expect(operator.page.get_by_role("button", name="Pause the intake")).to_be_focused()
    keys.press("Enter")
    expect(operator.question.get_by_role("button", name="Leave it")).to_be_focused()
    operator.tab_to("Pause the intake")
    keys.press("Enter")
    expect(operator.banners).to_contain_text("The intake is paused")
    operator.tab_to("Resume the intake")
    keys.press("Enter")
    expect(operator.banners).to_have_count(0)
    stack.open_gate("keys")


def test_a_worker_drains_and_another_one_takes_over(operator: Operator, stack: Stack) -> None:
    operator.open_view("Workers")
    offered = operator.rows("Workers").get_by_role("button", name="Drain")
    offered.click()
    operator.confirm("Drain this worker?", "Drain it")
    expect(operator.rows("Workers")).to_contain_text("draining")
    wait_until("it has ended", lambda: not stack.workers[0].is_running)
    stack.replace_dead()
    expect(offered).to_have_count(1)
    assert stack.finished(stack.submit("after", "hello"))["status"] == "completed"
