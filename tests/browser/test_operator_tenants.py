"""Operators see the tenants and limit one of them on the page."""

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.support.appearance import check_appearance
from tests.browser.support.operator_page import OperatorPage
from tests.support.processes import Stack


def test_a_tenant_is_limited_and_reset_on_its_page(open_operator: Callable[..., OperatorPage], stack: Stack) -> None:
    first = stack.submit("limited0", "hello [gate limited]")
    stack.wait_until_running(first)
    operator = open_operator(stack)
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
