"""The frame of the operator page: its views on a desktop and a phone, the menu, times, and forms."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.support.operator_page import OperatorPage
from tests.support.processes import Stack

PHONE = {"width": 390, "height": 800}


@pytest.fixture
def operator(open_operator: Callable[..., OperatorPage], stack: Stack) -> OperatorPage:
    return open_operator(stack)


def test_other_views_have_the_summary_in_one_line(operator: OperatorPage, stack: Stack) -> None:
    operator.open_view("Workers")
    expect(operator.verdict).to_contain_text("Longest wait")
    expect(operator.number("Workers")).to_have_count(0)
    height = operator.verdict.evaluate("(verdict) => verdict.offsetHeight")
    assert height < 40  # one line
    operator.verdict.get_by_role("link").first.click()
    expect(operator.number("Workers")).to_contain_text("2")


def test_the_header_is_one_line(operator: OperatorPage) -> None:
    expect(operator.count("Workers")).to_be_visible()
    operator.page.get_by_label("Refresh interval").select_option("Refresh: off")
    expect(operator.page.get_by_role("button", name="Refresh", exact=True)).to_be_visible()
    assert operator.page.get_by_role("banner").evaluate("(header) => header.offsetHeight") < 60


def test_times_show_local_time_and_utc(open_operator: Callable[..., OperatorPage], stack: Stack) -> None:
    turn = stack.wait_until_finished(stack.submit("clock", "hello"))
    operator = open_operator(stack, f"/operator?view=turn&id={turn['id']}", timezone_id="Asia/Tokyo")
    accepted = operator.view.get_by_role("list", name="Timeline, in UTC").get_by_role("time").first
    expect(accepted).to_have_attribute("title", re.compile(r"GMT\+9\n\d{4}-\d\d-\d\d [\d:.]+ UTC$"))


def test_a_phone_shows_all_views_without_scrolling_sideways(
    open_operator: Callable[..., OperatorPage], stack: Stack
) -> None:
    operator = open_operator(stack, viewport=PHONE)
    expect(operator.count("Workers")).to_be_visible()
    expect(operator.count("Workers")).to_have_text("2")
    for name in operator.view_names():
        operator.open_view(name)
        width = operator.page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"], name
        cut_off = "names => names.filter(name => name.scrollWidth > name.clientWidth).map(name => name.textContent)"
        assert operator.page.locator("header nav > :visible").evaluate_all(cut_off) == [], name


def test_the_menu_opens_and_closes_with_the_keyboard(operator: OperatorPage) -> None:
    keys = operator.page.keyboard
    operator.tab_to("More")
    keys.press("Enter")
    link = operator.menu.get_by_role("link", name="Bulk acts")
    expect(link).to_be_visible()
    keys.press("Escape")
    expect(link).to_be_hidden()
    expect(operator.page.get_by_role("button", name="More")).to_be_focused()
    keys.press("Enter")
    operator.tab_to("Bulk acts")
    keys.press("Enter")
    expect(operator.heading).to_have_text("Bulk acts")
    expect(operator.heading).to_be_focused()
    expect(operator.menu).to_be_hidden()


def test_a_refused_form_stays_open_with_its_reason(operator: OperatorPage) -> None:
    operator.allow_error("40[0-9]|422")
    operator.click_button("Pause a part…")
    operator.dialog.get_by_label("Kind").select_option("lane")
    operator.dialog.get_by_label("Name").fill("no-such-lane")
    operator.dialog.get_by_role("button", name="Pause", exact=True).click()
    expect(operator.dialog.get_by_role("alert")).to_contain_text("must be one of interactive, batch")
    expect(operator.dialog.get_by_label("Name")).to_have_value("no-such-lane")
    operator.click_button("Back")
    expect(operator.dialog).to_have_count(0)


def test_ends_of_a_search_lead_on(operator: OperatorPage) -> None:
    operator.allow_error("404")
    operator.open("/operator?view=session&tenant=-&session_id=unknown")
    expect(operator.view).to_contain_text("There is no such session")
    operator.click_link("Failed turns")
    expect(operator.heading).to_have_text("Failed turns")
