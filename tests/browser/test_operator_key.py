"""Where there are API keys, the operator page asks for one; what that key may not do, it does not offer."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.acceptance.delivery.test_tenants import make_key
from tests.browser.operator import Operator
from tests.support.processes import Stack, call
from tests.support.waiting import wait_until


def give(operator: Operator, api_key: str) -> None:
    box = operator.page.get_by_role("textbox", name="API key")
    box.fill(api_key)
    box.press("Enter")


def test_the_page_asks_for_a_key_and_offers_what_it_allows(
    operate: Callable[..., Operator], start: Callable[..., Stack]
) -> None:
    stack = start(workers=1)
    of_tenant = make_key(stack, "acme")
    observer, operator_key = (make_key(stack, "acme", "--scopes", scope) for scope in ("observer", "operator"))
    wait_until("keys are asked for", lambda: call(f"{stack.url}/v1/turns").status == 401)

    operator = operate(stack, "/operator?view=workers")
    operator.expect_trouble("40[13]")
    expect(operator.banners).to_contain_text("This page asks for an API key")
    give(operator, of_tenant)
    expect(operator.banners).to_contain_text("This API key is for something else")

    give(operator, observer)
    expect(operator.verdict).to_contain_text("Users are served.")
    expect(operator.rows("Workers")).to_have_count(1)
    expect(operator.view.get_by_role("button")).to_have_count(0)

    beside = operate(stack, "/operator?view=workers")
    beside.expect_trouble("401")
    give(beside, operator_key)
    expect(beside.page.get_by_role("button", name="Pause the intake")).to_be_visible()
    expect(beside.view.get_by_role("button", name="Drain")).to_be_visible()
