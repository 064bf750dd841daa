"""The page `/docs` on a desktop and a phone, in both themes."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.support.appearance import check_appearance
from tests.browser.support.browser_page import BrowserPage
from tests.support.processes import Stack


def test_the_page_is_readable_and_leads_to_an_example(open_page: Callable[..., BrowserPage], stack: Stack) -> None:
    docs = open_page(BrowserPage, stack, "/docs")
    check_appearance(docs, "docs")
    docs.page.get_by_role("navigation").get_by_role("link", name="POST /v1/turns", exact=True).click()
    operation = docs.page.locator("#submit")
    expect(operation).to_be_in_viewport()
    operation.get_by_text("Example of a 202").click()
    expect(operation.get_by_text('"status": "queued"')).to_be_visible()
