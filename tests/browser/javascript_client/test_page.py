"""A React page on its own origin talks to the service itself, with a token of its backend."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.processes import Stack, call
from tools import ROOT

HERE = Path(__file__).parent
CLIENT = ROOT / "clients" / "js"
REACT = ROOT / "tests" / "browser" / "vendor" / "react-19.3.1.js"
KINDS = {".html": "text/html", ".js": "text/javascript"}


class Backend(ThreadingHTTPServer):
    """The page's own server: it knows that Ada is signed in, and holds the API key."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.service, self.api_key, self.expires_in = "", "", 600

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def create_token(self) -> bytes:
        body = {"user_id": "ada", "expires_in": self.expires_in}
        created = call(f"{self.service}/v1/tokens", method="POST", body=body, api_key=self.api_key)
        return str(created.body["token"]).encode()


class Handler(BaseHTTPRequestHandler):
    server: Backend

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/token":
            self._send(self.server.create_token(), "text/plain")
        else:
            file = {"/": HERE / "page.html", "/react.js": REACT}.get(path, CLIENT / path[1:])
            self._send(file.read_bytes() if file.is_file() else b"", KINDS.get(file.suffix, "text/plain"))

    def _send(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    backend = Backend()
    threading.Thread(target=backend.serve_forever, daemon=True).start()
    yield backend
    backend.shutdown()
    backend.server_close()


@pytest.fixture(scope="module")
def service(start: Callable[..., Stack], backend: Backend) -> Stack:
    stack = start(INTURN_CORS_ORIGINS=backend.url)
    backend.service, backend.api_key = stack.url, stack.create_api_key("acme")
    return stack


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
