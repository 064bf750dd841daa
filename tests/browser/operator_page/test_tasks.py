"""Operator tasks on the page with real workers: see the state, find reasons, act."""

import json
import re
import secrets
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.support.appearance import check_appearance
from tests.browser.support.operator_page import OperatorPage
from tests.support.processes import Stack, call, turn_request
from tests.support.waiting import wait_until

PRIVATE = "private message"


@pytest.fixture(scope="module")
def operated(start: Callable[..., Stack]) -> Stack:
    return start(workers=1)


@pytest.fixture
def stack(operated: Stack) -> Stack:
    """Return the stack without pauses, dead processes and failed turns of earlier tests."""
    operated.replace_dead()
    discard_all(operated)
    for pause in call(f"{operated.url}/operator/pauses").body["data"]:
        call(f"{operated.url}/operator/pauses/{pause['kind']}/{pause['name']}".rstrip("/"), method="DELETE")
    return operated


@pytest.fixture
def operator(open_operator: Callable[..., OperatorPage], stack: Stack) -> OperatorPage:
    return open_operator(stack)


def fail(stack: Stack, session_id: str, text: str) -> str:
    turn_id = stack.submit(session_id, text)
    assert stack.wait_until_finished(turn_id)["status"] == "failed"
    return turn_id


def discard_all(stack: Stack) -> None:
    url = f"{stack.url}/operator/jobs/discard-{secrets.token_hex(8)}"
    assert call(url, method="PUT", body={"act": "discard", "all": True}).status == 202
    wait_until("no failed turn is listed", lambda: not call(f"{stack.url}/operator/failed").body["data"])


def audit_events(stack: Stack, action: str) -> list[dict[str, Any]]:
    """Return the log events of this action."""
    events = [json.loads(text) for text in stack.logs().splitlines() if '"operator.acted"' in text]
    return [event for event in events if event["action"] == action]


def test_summary_shows_that_no_turn_is_waiting(operator: OperatorPage, stack: Stack) -> None:
    stack.wait_until_finished(stack.submit("calm", "hello"))
    expect(operator.verdict).to_contain_text("All good. No turn is waiting.")
    expect(operator.number("Workers")).to_contain_text("1")
    expect(operator.number("Wait, p95")).to_contain_text(" s")
    expect(operator.page).to_have_title(re.compile("All good"))
    expect(operator.page.locator("footer")).to_have_text(re.compile(r"InTurn \d"))


def test_three_clicks_show_why_a_user_waits(operator: OperatorPage, stack: Stack) -> None:
    running = stack.submit("slow", "Think [gate slow]", user_id="alice")
    stack.submit("slow", "And then", user_id="alice")
    operator.find("alice")  # one
    operator.click_link("slow")  # two
    expect(operator.heading).to_have_text("Session slow")
    expect(operator.view).to_contain_text("The first turn runs on worker")
    expect(operator.rows("Live turns of this session")).to_have_count(2)
    operator.click_link(running[-8:])  # three
    expect(operator.view).to_contain_text("Run 1 (attempt 1) started on")
    expect(operator.view).to_contain_text("thinking for")
    stack.open_gate("slow")
    expect(operator.view).to_contain_text("Ended: completed")


def test_operators_cancel_a_turn_and_a_session(operator: OperatorPage, stack: Stack) -> None:
    first = stack.submit("stuck", "Think [gate never]")
    for n in range(3):
        stack.submit("stuck", f"And then {n} [gate never]")
    stack.wait_until_running(first)
    operator.find(first)
    operator.click_button("Cancel turn")
    operator.dialog.get_by_label("Reason").fill("stuck")
    operator.confirm("Cancel this turn?", "Cancel turn")
    expect(operator.notice).to_contain_text("Cancelled.")
    expect(operator.view).to_contain_text("Ended: cancelled")
    operator.click_link("stuck")
    operator.click_button("Cancel all 3 turns")
    operator.dialog.get_by_label("Reason").fill("asked for by its user")
    operator.confirm("Cancel 3 turns?", "Cancel 3 turns")
    expect(operator.notice).to_contain_text("3 turns cancelled.")
    expect(operator.view).to_contain_text("No turn of this session is running or waiting.")
    assert [(event["what"], event["reason"]) for event in audit_events(stack, "cancel")] == [(first, "stuck")]
    assert audit_events(stack, "cancel_session")[-1]["reason"] == "asked for by its user"


def test_ids_with_separators_are_found_and_opened(operator: OperatorPage, stack: Stack) -> None:
    session, user = "auth0|a/b?c=%2F&d#<i>", "日本/🌈@example.com"
    stack.submit(session, "Think [gate odd]", user_id=user)
    operator.find("日本/🌈")
    operator.click_link(f"User {user}")
    operator.click_link(session)
    expect(operator.heading).to_have_text(f"Session {session}")
    expect(operator.rows("Live turns of this session")).to_have_count(1)
    stack.open_gate("odd")


def test_timeline_shows_attempts_and_text_on_request_only(operator: OperatorPage, stack: Stack) -> None:
    turn_id = stack.submit("twice", f"{PRIVATE} [fail 503 1]")
    stack.wait_until_finished(turn_id)
    operator.find(turn_id)
    events = operator.view.get_by_role("list", name="Timeline, in UTC").get_by_role("listitem")
    expect(events.nth(0)).to_contain_text("Accepted")
    expect(events.nth(1)).to_contain_text("Run 1 (attempt 1) started on")
    expect(events.nth(2)).to_contain_text("Failed; will be retried provider_error")
    expect(events.nth(3)).to_contain_text("for a retry after provider_error")
    expect(events.nth(4)).to_contain_text("Run 2 (attempt 2) started on")
    expect(events.nth(-1)).to_contain_text("Ended: completed")
    assert PRIVATE not in operator.page.content()
    assert audit_events(stack, "read_text") == []
    operator.click_button("Show message text")
    expect(operator.view).to_contain_text(PRIVATE)
    expect(operator.view).to_contain_text("answer to")
    assert [event["what"] for event in audit_events(stack, "read_text")] == [turn_id]
    operator.open_view("Workers")
    operator.page.go_back()
    expect(events.nth(0)).to_be_visible()
    assert PRIVATE not in operator.page.content()


def test_all_failed_turns_of_a_code_are_retried(operator: OperatorPage, stack: Stack) -> None:
    for n in range(3):
        fail(stack, f"again-{n}", f"hello {n} [fail 401 1]")
    fail(stack, "other", "hello [fail 400]")
    operator.open_view("Failed")
    expect(operator.rows("Failed turns by code").first).to_contain_text("Check OPENAI_API_KEY")
    operator.click_button("Retry all… with provider_authentication")
    expect(operator.dialog).to_contain_text("All failed turns with code provider_authentication until ")
    later = fail(stack, "later", "hello [fail 401]")
    operator.page.get_by_label("Reason").fill("the key is right now")
    operator.page.get_by_label("Turns per second").fill("20")
    operator.confirm("Retry 3 failed turns?", "Retry 3 turns")
    expect(operator.heading).to_have_text("Bulk acts")
    expect(operator.rows("Bulk acts").first).to_contain_text("3 of 3")
    expect(operator.rows("Bulk acts").first).to_contain_text("completed")
    expect(operator.rows("Bulk acts").first).to_contain_text("the key is right now")
    for n in range(3):
        wait_until("the retry is answered", lambda n=n: len(stack.messages(f"again-{n}")) == 2)  # type: ignore[misc]
    [event] = [event for event in audit_events(stack, "end_job") if event.get("reason")]
    assert (event["count"], event["reason"]) == (3, "the key is right now")
    operator.open_view("Failed")
    expect(operator.rows("Failed turns")).to_have_count(2)
    expect(operator.rows("Failed turns").filter(has_text=later[-8:])).to_have_count(1)


def test_checked_turns_are_discarded_and_restored(operator: OperatorPage, stack: Stack) -> None:
    failed = [fail(stack, f"checked-{n}", "hello [fail 400]") for n in range(3)]
    operator.open_view("Failed")
    for turn_id in failed[:2]:
        operator.page.get_by_label(f"Select {turn_id}").check()
    operator.click_button("Discard selected (2)")
    operator.confirm("Discard 2 failed turns?", "Discard 2 turns")
    expect(operator.rows("Bulk acts").first).to_contain_text("2 of 2")
    operator.rows("Bulk acts").first.get_by_role("button", name="Undo").click()
    expect(operator.notice).to_contain_text("2 of 2 turns back on the list of failed turns.")
    operator.open_view("Failed")
    expect(operator.rows("Failed turns")).to_have_count(3)
    operator.page.get_by_label("Session", exact=True).fill("checked-2")
    operator.page.get_by_label("Session", exact=True).press("Enter")
    expect(operator.rows("Failed turns")).to_have_count(1)
    operator.click_button("Discard all that match…")
    operator.confirm("Discard 1 failed turn?", "Discard 1 turn")
    expect(operator.rows("Bulk acts").first).to_contain_text("of session checked-2")
    expect(operator.rows("Bulk acts").first).to_contain_text("1 of 1")


def test_live_turns_are_cancelled_from_their_list(operator: OperatorPage, stack: Stack) -> None:
    turns = [stack.submit(f"live-{n}", "Think [gate never]") for n in range(3)]
    operator.open_view("Live")
    operator.page.get_by_label(f"Select {turns[0]}").check()
    operator.click_button("Cancel selected (1)")
    operator.confirm("Cancel 1 live turn?", "Cancel 1 turn")
    expect(operator.rows("Bulk acts").first).to_contain_text("1 of 1")
    operator.open_view("Live")
    expect(operator.rows("Live turns")).to_have_count(2)
    operator.click_button("Cancel all that match…")
    operator.confirm("Cancel 2 live turns?", "Cancel 2 turns")
    expect(operator.rows("Bulk acts").first).to_contain_text("2 of 2")
    assert {stack.turn(turn_id)["status"] for turn_id in turns} == {"cancelled"}


def test_live_turns_of_a_user_are_cancelled(operator: OperatorPage, stack: Stack) -> None:
    mine = [stack.submit(f"mine-{n}", "Think [gate never]", user_id="flooding") for n in range(2)]
    other = stack.submit("other", "Think [gate other]", user_id="quiet")
    matching = operator.page.get_by_role("button", name="Cancel live turns that match…")
    operator.open("/operator?view=history&user_id=flooding&status=completed")
    expect(operator.view).to_contain_text("No turn that is still kept matches.")
    expect(matching).to_have_count(0)
    operator.page.get_by_label("State").select_option("")
    expect(operator.rows("All turns")).to_have_count(2)
    matching.click()
    expect(operator.dialog).to_contain_text("All live turns of user flooding")
    operator.confirm("Cancel 2 live turns?", "Cancel 2 turns")
    expect(operator.rows("Bulk acts").first).to_contain_text("2 of 2")
    assert {stack.turn(turn_id)["status"] for turn_id in mine} == {"cancelled"}
    stack.open_gate("other")
    assert stack.wait_until_finished(other)["status"] == "completed"


def test_turns_that_end_workers_are_retried_only_on_request(
    open_operator: Callable[..., OperatorPage], stack: Stack
) -> None:
    failed = fail(stack, "poison", "poison [fail 401 1]")
    stack.store.raw.hset(f"inturn:turn:{failed}", mapping={"error_code": "worker_lost", "losses": 6})
    operator = open_operator(stack)
    expect(operator.verdict).to_contain_text("Turns end their workers.")
    operator.open_view("Failed")
    expect(operator.rows("Failed turns").first).to_contain_text("6 lost workers")
    operator.click_button("Retry all that match…")
    expect(operator.notice).to_contain_text("1 turn left out: they probably end their workers.")
    operator.click_button("Retry all… with worker_lost")
    expect(operator.page.get_by_role("button", name="Retry 1 turn")).to_be_disabled()
    operator.page.get_by_label("Retry them although they probably end the workers").check()
    operator.confirm("Retry 1 failed turn?", "Retry 1 turn")
    expect(operator.rows("Bulk acts").first).to_contain_text("1 of 1")


def test_single_turns_are_retried_and_discarded(operator: OperatorPage, stack: Stack) -> None:
    first, second = fail(stack, "first", "hello [fail 401 1]"), fail(stack, "second", "hello [fail 400]")
    operator.open("/operator?view=failed&code=provider_authentication")
    expect(operator.rows("Failed turns")).to_have_count(1)
    operator.click_button(f"Retry {first}")
    expect(operator.notice).to_contain_text("Retried as a new turn: turn_")
    operator.notice.get_by_role("link").click()
    expect(operator.view).to_contain_text("Ended: completed")
    operator.find(second)
    operator.click_button(f"Discard {second}")
    expect(operator.notice).to_contain_text("Discarded.")
    operator.notice.get_by_role("button", name="Undo").click()
    expect(operator.notice).to_contain_text("1 of 1 turn back on the list of failed turns.")
    operator.click_button(f"Discard {second}")
    expect(operator.notice).to_contain_text("Discarded.")
    operator.open_view("Failed")
    expect(operator.view).to_contain_text("No unresolved failed turns.")
    assert [line["what"] for line in audit_events(stack, "retry")] == [first]


def test_paused_workers_are_visible_everywhere(operator: OperatorPage, stack: Stack) -> None:
    operator.open_view("Workers")
    operator.click_button("Pause workers")
    operator.confirm("Pause workers?", "Pause workers")
    expect(operator.banners).to_contain_text("Workers paused for")
    expect(operator.banners).to_contain_text("No end is set.")
    turn_id = stack.submit("paused", "hello")
    expect(operator.verdict).to_contain_text("The workers are paused.")
    operator.find("paused")
    operator.click_link("paused")
    expect(operator.view).to_contain_text("An operator has paused the workers")
    operator.click_button("Resume workers")
    expect(operator.banners).to_have_count(0)
    assert stack.wait_until_finished(turn_id)["status"] == "completed"
    assert [event["what"] for event in audit_events(stack, "pause")] == ["workers"]


def test_a_paused_model_is_visible_and_resumed(operator: OperatorPage, stack: Stack) -> None:
    turn_id = stack.submit("limited", "hello [fail 429 1] [retry-after 200]")
    expect(operator.banners).to_contain_text("is paused by its provider")
    expect(operator.banners).to_contain_text("1 turn waits")
    expect(operator.verdict).to_contain_text("Users are waiting for a model.")
    operator.banners.get_by_role("button", name="Resume").click()
    assert stack.wait_until_finished(turn_id)["status"] == "completed"
    expect(operator.banners).to_have_count(0)


def test_a_part_is_paused_with_reason_and_end(operator: OperatorPage, stack: Stack) -> None:
    operator.click_button("Pause a part…")
    operator.dialog.get_by_label("Kind").select_option("tenant")
    operator.dialog.get_by_label("Name").fill("-")
    operator.dialog.get_by_label("Reason").fill("floods the provider")
    operator.dialog.get_by_label("Duration").select_option("for 1 hour")
    operator.confirm("Pause a part of the service?", "Pause")
    expect(operator.notice).to_contain_text("Paused: tenant default.")
    turn_id = stack.submit("flood", "hello")
    expect(operator.banners).to_contain_text("Tenant default paused for")
    expect(operator.banners).to_contain_text("floods the provider. 1 turn waits. It ends in 59 min")
    expect(operator.verdict).to_contain_text("A part of the service is paused.")
    operator.find(turn_id)
    expect(operator.view).to_contain_text("paused by an operator")
    operator.click_button("Pause assistant default")
    operator.confirm("Pause assistant default?", "Pause assistant default")
    operator.click_button("Resume tenant default")
    expect(operator.banners).not_to_contain_text("Tenant default")
    expect(operator.banners).to_contain_text("Assistant default paused for")
    operator.click_button("Resume assistant default")
    expect(operator.banners).to_have_count(0)
    assert stack.wait_until_finished(turn_id)["status"] == "completed"


def test_intake_is_paused_and_resumed(operator: OperatorPage, stack: Stack) -> None:
    operator.open_view("Workers")
    operator.click_button("Pause intake")
    operator.confirm("Pause intake?", "Pause intake")
    expect(operator.verdict).to_contain_text("New turns are refused.")
    refused = call(f"{stack.url}/v1/turns", method="POST", body=turn_request("late", "hello"))
    assert refused.status == 503
    operator.click_button("Resume intake")
    expect(operator.verdict).not_to_contain_text("New turns are refused.")
    stack.submit("late", "hello")


def test_lost_response_is_not_reported_as_a_failed_action(operator: OperatorPage) -> None:
    operator.allow_error("ERR_FAILED")
    operator.page.route("**/operator/pauses/intake", lambda route: route.abort())
    operator.open_view("Workers")
    operator.click_button("Pause intake")
    operator.confirm("Pause intake?", "Pause intake")
    expect(operator.notice).to_contain_text("No response yet. The action may still be running")


def test_url_restores_view_and_filters(operator: OperatorPage, stack: Stack) -> None:
    stack.submit("shared", "Think [gate shared]")
    operator.open_view("Live")
    operator.page.get_by_label("State").select_option("in_progress")
    operator.page.get_by_label("Id contains").fill("sha")
    operator.page.get_by_label("Id contains").press("Enter")
    expect(operator.rows("Live turns")).to_have_count(1)
    assert operator.page.url.endswith("/operator?view=live&status=in_progress&text=sha")
    operator.reload()
    expect(operator.page.get_by_label("Id contains")).to_have_value("sha")
    expect(operator.rows("Live turns")).to_have_count(1)
    operator.find("nothing-like-that")
    expect(operator.view).to_contain_text("Nothing is named “nothing-like-that”")
    operator.page.go_back()
    expect(operator.rows("Live turns")).to_have_count(1)
    stack.open_gate("shared")


def test_plots_are_also_a_table(operator: OperatorPage, stack: Stack) -> None:
    stack.wait_until_finished(stack.submit("plotted", "hello"))
    for span, points in (("6 h", 72), ("24 h", 96), ("15 min", 15)):
        operator.page.get_by_role("link", name=span, exact=True).click()
        operator.page.get_by_text("These plots as a table").click()
        expect(operator.rows("The plots as a table")).to_have_count(points)
        operator.page.get_by_text("These plots as a table").click()
    completed = operator.page.locator(".plot", has_text="Ended per minute").locator("path.first")
    operator.wait_until("the plot has a bar", lambda: completed.get_attribute("d"))


def test_hidden_tab_sends_no_requests(
    operator: OperatorPage, open_operator: Callable[..., OperatorPage], stack: Stack
) -> None:
    operator.set_hidden(hidden=True)
    requests = operator.record_requests()
    beside = open_operator(stack)
    other_requests = beside.record_requests()
    beside.wait_until(
        "the visible tab has refreshed twice", lambda: sum("stats.json" in each for each in other_requests) >= 2
    )
    assert requests == []
    operator.set_hidden(hidden=False)
    operator.wait_until("the tab refreshes again", lambda: requests)


def test_unknown_turns_and_sessions_are_reported(operator: OperatorPage) -> None:
    operator.allow_error("404")
    operator.find("turn_" + "f" * 32)
    expect(operator.view).to_contain_text("There is no such turn")
    operator.open("/operator?view=session&tenant=-&session_id=unknown")
    expect(operator.view).to_contain_text("There is no such session")


def test_a_search_says_what_it_found(operator: OperatorPage, stack: Stack) -> None:
    turns = [stack.wait_until_finished(stack.submit(f"chat-{n}", "hello", user_id="u-323")) for n in range(2)]
    operator.find("u-32")
    operator.click_link("User u-323")
    expect(operator.view).to_contain_text("User u-323: 2 sessions, 2 turns, last completed")
    expect(operator.rows("Last turns of the user")).to_have_count(2)
    operator.click_link("All its turns")
    expect(operator.rows("All turns")).to_have_count(2)
    operator.page.get_by_role("textbox", name="Session").fill("chat-1")
    operator.page.get_by_role("textbox", name="Session").press("Enter")
    expect(operator.rows("All turns")).to_have_count(1)
    request_id = operator.rows("All turns").get_by_role("cell").last.inner_text()
    operator.find(request_id)
    expect(operator.view).to_contain_text(f"Request {request_id}: 1 turn, completed")
    operator.click_link(turns[1]["id"][-8:])
    expect(operator.view).to_contain_text(request_id)
    operator.click_link("chat-1")
    expect(operator.rows("Last turns of this session")).to_have_count(1)


def test_operator_page_with_the_keyboard(operator: OperatorPage, stack: Stack) -> None:
    stack.submit("by-hand", "Think [gate keys]")
    keys = operator.page.keyboard
    expect(operator.number("Workers")).to_contain_text("1")
    keys.press("/")
    keys.type("by-hand")
    keys.press("Enter")
    expect(operator.rows("Last turns of the session")).to_have_count(1)
    operator.tab_to("by-hand")
    keys.press("Enter")
    expect(operator.heading).to_have_text("Session by-hand")
    expect(operator.heading).to_be_focused()
    operator.open("/operator?view=workers")
    operator.tab_to("Pause intake")
    keys.press("Enter")
    expect(operator.dialog.get_by_role("button", name="Back")).to_be_focused()
    keys.press("Escape")
    expect(operator.dialog).to_have_count(0)
    pause = operator.page.get_by_role("button", name="Pause intake")
    expect(pause).to_be_focused()
    pause.press("Enter")  # on the element: a refresh of the page may replace it after the check
    expect(operator.dialog.get_by_role("button", name="Back")).to_be_focused()
    operator.tab_to("Pause intake")
    keys.press("Enter")
    expect(operator.banners).to_contain_text("Intake paused for")
    operator.tab_to("Resume intake")
    keys.press("Enter")
    expect(operator.banners).to_have_count(0)
    stack.open_gate("keys")


def test_worker_drains_and_another_takes_over(operator: OperatorPage, stack: Stack) -> None:
    operator.open_view("Workers")
    drain = operator.rows("Workers").get_by_role("button", name="Drain")
    drain.click()
    operator.confirm("Drain this worker?", "Drain worker")
    expect(operator.rows("Workers").first).to_contain_text("draining")
    wait_until("the worker has stopped", lambda: not stack.workers[0].is_running)
    stack.replace_dead()
    expect(drain).to_have_count(1)
    assert stack.wait_until_finished(stack.submit("after", "hello"))["status"] == "completed"


def test_a_tenant_is_limited_and_reset_on_its_page(operator: OperatorPage, stack: Stack) -> None:
    first = stack.submit("limited0", "hello [gate limited]")
    stack.wait_until_running(first)
    operator.open_view("Tenants")
    expect(operator.rows("Tenants")).to_have_count(1)
    expect(operator.rows("Tenants")).to_have_text(re.compile(r"^default11"))
    operator.click_link("default")
    expect(operator.view).to_contain_text("The limits of the settings apply.")

    operator.click_button("Set limits")
    operator.dialog.get_by_role("button", name="Set limits", exact=True).click()  # the form is empty
    expect(operator.dialog.get_by_role("alert")).to_have_text("Enter at least one limit.")
    operator.dialog.get_by_label("Turns that run at once").fill("1")
    operator.dialog.get_by_label("For").select_option("1 hour")
    operator.dialog.get_by_label("Reason").fill("nightly import")
    check_appearance(operator, "operator-tenant-limits")
    operator.confirm("Limits of the tenant default", "Set limits")
    expect(operator.notice).to_contain_text("Limits set. They apply now.")
    expect(operator.rows("Limits").first).to_have_text(re.compile("Turns that run at once.*1.*own"))
    expect(operator.view).to_contain_text(
        re.compile("Set .* by a caller without a key.* until .* Reason: nightly import")
    )
    second = stack.submit("limited1", "hello [gate limited]")
    expect(operator.view).to_contain_text("Waiting1")
    check_appearance(operator, "operator-tenant")
    operator.open_view("Tenants")
    expect(operator.rows("Tenants")).to_contain_text("concurrency 1")
    check_appearance(operator, "operator-tenants")

    operator.click_link("default")
    operator.click_button("Reset to default")
    operator.confirm("Reset the limits of default?", "Reset limits")
    expect(operator.view).to_contain_text("The limits of the settings apply.")
    stack.wait_until_running(second)
    stack.open_gate("limited")
    for turn_id in (first, second):
        stack.wait_until_finished(turn_id)


def test_tokens_are_shown_by_user_and_saved(operator: OperatorPage, stack: Stack) -> None:
    stack.wait_until_finished(stack.submit("used", "hello", user_id="usage-of-page"))
    operator.open_view("Usage")
    operator.click_link("User")
    row = operator.rows("Tokens and cost").filter(has_text="usage-of-page")
    expect(row.get_by_role("cell").nth(1)).to_have_text("1")
    with operator.page.expect_download() as download:
        operator.click_button("Save as CSV")
    assert '"usage-of-page","false",1,1,' in download.value.path().read_text()
