"""The page of the tutorial, `examples/fastapi_app.html`, in a browser."""

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.support.processes import Stack
from tests.support.tutorial import run_app


def test_the_page_streams_cancels_and_continues(browser: Browser, stack: Stack, tmp_path: Path) -> None:
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
