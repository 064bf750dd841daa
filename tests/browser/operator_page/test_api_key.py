"""The operator page of a service with API keys."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.support.operator_page import OperatorPage
from tests.support.processes import Stack, call
from tests.support.waiting import wait_until


def enter_key(operator: OperatorPage, api_key: str) -> None:
    box = operator.page.get_by_role("textbox", name="key")
    box.fill(api_key)
    box.press("Enter")


def test_page_asks_for_key_and_offers_what_it_allows(
    open_operator: Callable[..., OperatorPage], start: Callable[..., Stack]
) -> None:
    stack = start(workers=1)
    tenant_key = stack.create_api_key("acme")
    observer_key, operator_key = (stack.create_api_key("acme", "--scopes", scope) for scope in ("observer", "operator"))
    wait_until("keys are required", lambda: call(f"{stack.url}/v1/turns").status == 401)

    operator = open_operator(stack, "/operator?view=workers")
    operator.allow_error("40[13]")
    expect(operator.banners).to_contain_text("Locked. Enter an operator key.")
    enter_key(operator, tenant_key)
    expect(operator.banners).to_contain_text("This key cannot open this page.")

    enter_key(operator, observer_key)
    expect(operator.verdict).to_contain_text("All good.")
    expect(operator.rows("Workers")).to_have_count(1)
    expect(operator.view.get_by_role("button")).to_have_count(0)

    beside = open_operator(stack, "/operator?view=workers")
    beside.allow_error("401")
    enter_key(beside, operator_key)
    expect(beside.page.get_by_role("button", name="Pause intake")).to_be_visible()
    expect(beside.view.get_by_role("button", name="Drain")).to_be_visible()
