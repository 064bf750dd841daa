"""The page `/docs`, and the page of the tutorial, `examples/fastapi_app.html`."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.browser.support.appearance import check_appearance
from tests.browser.support.browser_page import BrowserPage
from tests.support.documentation.tutorial import run_app
from tests.support.processes import Stack


def test_the_docs_are_readable_and_lead_to_an_example(open_page: Callable[..., BrowserPage], stack: Stack) -> None:
    docs = open_page(BrowserPage, stack, "/docs")
    check_appearance(docs, "docs")
    docs.page.get_by_role("navigation").get_by_role("link", name="POST /v1/turns", exact=True).click()
    operation = docs.page.locator("#submit")
    expect(operation).to_be_in_viewport()
    operation.get_by_text("Example of a 202").click()
    expect(operation.get_by_text('"status": "queued"')).to_be_visible()


def test_the_tutorial_streams_cancels_and_continues(browser: Browser, stack: Stack, tmp_path: Path) -> None:
    with run_app(stack.url, log=tmp_path / "app.log") as url:
        page = browser.new_page()
        page.goto(url)
        page.get_by_label("Message").fill("hello [hold tutorial]")
        page.get_by_role("button", name="Send").click()
        answer = page.locator(".assistant")
        expect(answer).to_contain_text("answer to")
        page.reload()
        expect(answer).to_contain_text("answer to")
        stack.open_gate("tutorial")
        expect(page.get_by_role("button", name="Cancel")).to_be_hidden()
        page.get_by_label("Message").fill("never [gate tutorial-never]")
        page.get_by_role("button", name="Send").click()
        page.get_by_role("button", name="Cancel").click()
        expect(answer.last).to_have_text("(cancelled)")
        page.reload()
        expect(answer).to_have_count(1)
        expect(page.locator(".user")).to_have_text("hello [hold tutorial]")
        page.close()
