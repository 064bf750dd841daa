"""A React page on its own origin talks to the service itself, with a token of its backend."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.support.backend import Backend, serve_page, start_service
from tests.support.processes import Stack
from tools import ROOT

HERE = Path(__file__).parent
CLIENT = ROOT / "clients" / "js"
REACT = ROOT / "tests" / "browser" / "vendor" / "react-19.3.1.js"


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    files = {"/": HERE / "page.html", "/react.js": REACT}
    with serve_page(lambda path: files.get(path, CLIENT / path[1:])) as backend:
        yield backend


@pytest.fixture(scope="module")
def service(start: Callable[..., Stack], backend: Backend) -> Stack:
    return start_service(backend, start)


@pytest.fixture
def page(browser: Browser, backend: Backend, service: Stack) -> Iterator[Page]:
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{backend.url}/?service={service.url}")
    yield page
    page.close()
    assert errors == []


def send(page: Page, text: str) -> None:
    page.get_by_label("Message").fill(text)
    page.keyboard.press("Enter")


def test_a_page_sends_streams_reloads_and_stops(page: Page, service: Stack) -> None:
    """Three messages are queued, two reloads and a killed worker come in between, and the order is kept."""
    for text in ("one [hold one]", "two [hold two]", "three [gate three]"):
        send(page, text)
        expect(page.locator("h2").last).to_have_text(text)
    expect(page.locator("p").first).not_to_be_empty()
    page.reload()
    expect(page.locator("h2")).to_have_text(["one [hold one]", "two [hold two]", "three [gate three]"])
    expect(page.locator("p").first).not_to_be_empty()
    service.open_gate("one")
    expect(page.locator("p").nth(1)).not_to_be_empty()
    [running] = [turn for turn in turns_of(page) if turn["status"] == "in_progress"]
    service.worker_of(running["id"]).kill()
    service.replace_dead()
    service.open_gate("two")
    expect(page.locator("p").nth(1)).to_have_attribute("data-status", "completed")
    page.reload()
    expect(page.locator("p").nth(2)).to_have_attribute("data-status", "in_progress")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("p").nth(2)).to_have_attribute("data-status", "cancelled")
    shown = page.locator("p").all_text_contents()
    assert shown == [(turn["output"] or {}).get("content", "") for turn in turns_of(page)]
    assert all("hold" in text for text in shown[:2])


def turns_of(page: Page) -> list[dict[str, Any]]:
    """Return the turns that the page's token allows to see, oldest first."""
    turns: list[dict[str, Any]] = page.evaluate(
        "async () => { const turns = []; for await (const turn of inturn.turns()) turns.unshift(turn); return turns; }"
    )
    return turns
