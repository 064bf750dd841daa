"""The operator page of a service with API keys."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.support.appearance import check_appearance
from tests.browser.support.operator_page import OperatorPage
from tests.support.processes import Stack, call, turn_request
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


def test_an_administrator_manages_keys_and_reads_what_was_done(
    open_operator: Callable[..., OperatorPage], start: Callable[..., Stack]
) -> None:
    stack = start(workers=1)
    admin_key = stack.create_api_key("ops", "--scopes", "admin")
    wait_until("keys are required", lambda: call(f"{stack.url}/v1/turns").status == 401)
    operator = open_operator(stack, "/operator?view=keys")
    operator.allow_error("40[19]")
    enter_key(operator, admin_key)
    expect(operator.rows("API keys")).to_have_count(1)

    operator.view.get_by_role("button", name="Create a key").click()
    operator.dialog.get_by_label("Tenant").fill("acme")
    operator.dialog.get_by_label("Label").fill("shop")
    operator.confirm("Create an API key?", "Create key")
    shown = operator.notice.locator("code").inner_text()
    assert call(f"{stack.url}/v1/turns", api_key=shown).status == 200
    key_id = shown.split("_")[1]
    waiting = turn_request("s", "hello [gate never]")
    turn = call(f"{stack.url}/v1/turns", method="POST", body=waiting, api_key=shown).body
    row = operator.rows("API keys").filter(has_text="shop")
    expect(row).to_contain_text("active")
    expect(row).to_contain_text("acme")

    operator.view.get_by_role("button", name=f"Rotate {key_id}").click()
    operator.confirm("Rotate this key?", "Rotate key")
    expect(operator.notice).to_contain_text(f"replaces {key_id}")
    operator.view.get_by_role("button", name=f"Revoke {key_id}").click()
    operator.dialog.get_by_label("Its live turns").select_option("are cancelled")
    operator.dialog.get_by_label("Reason").fill("leaked")
    operator.confirm("Revoke this key?", "Revoke key")
    expect(operator.notice).to_contain_text(f"Key {key_id} is revoked, and 1 turn cancelled.")
    expect(operator.rows("API keys").filter(has_text=key_id).filter(has_text="revoked")).to_have_count(1)
    expect(operator.page.get_by_text(shown)).to_have_count(0)
    check_appearance(operator, "operator-keys")

    operator.rows("API keys").filter(has_text="ops").get_by_role("button", name="Revoke").click()
    expect(operator.dialog.get_by_role("button", name="Revoke key")).to_be_disabled()
    operator.dialog.get_by_role("button", name="Back").click()

    operator.open(f"/operator?view=audit&what={key_id}")
    expect(operator.rows("Audit log")).to_have_count(3)
    expect(operator.rows("Audit log").first).to_contain_text("leaked")
    check_appearance(operator, "operator-audit")
    operator.page.get_by_label("Until, UTC").fill("2020-01-01T00:00")
    operator.click_button("Filter")
    expect(operator.view).to_contain_text("Nothing that matches was done")
    assert operator.page.url.endswith("&until=2020-01-01T00%3A00%3A00Z")
    operator.open(f"/operator?view=turn&id={turn['id']}")
    operator.click_link(key_id)
    expect(operator.view).to_contain_text("Nothing that matches was done")
