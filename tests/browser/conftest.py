"""Fixtures for the pages in a real browser, with real processes and a scripted model."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.support.browser_page import BrowserPage
from tests.browser.support.chat_page import ChatPage
from tests.browser.support.operator_page import OperatorPage
from tests.support.processes import Stack

INSTALL = ("apt-get update", "apt-get install -y --no-install-recommends chromium")
ARGUMENTS = [
    "--no-sandbox",  # the sandbox of Chromium does not run as root in a container
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
VIEWPORT = {"width": 1100, "height": 760}
# Short leases, so that the tests do not wait long for the rescue of a killed worker's turns.
SETTINGS = {"INTURN_LEASE_SECONDS": "2", "INTURN_RESCUE_SECONDS": "0.2"}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found and os.geteuid() == 0 and shutil.which("apt-get"):
        for command in INSTALL:
            subprocess.run(command.split(), check=False, capture_output=True, timeout=300)
        found = shutil.which("chromium")
    if not found:
        pytest.fail("Chromium was not found. On Debian or Ubuntu, install it with: apt-get install chromium")
    return found


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Stack]]:
    """Start a stack with these settings; it stops after the module."""
    with ExitStack() as stacks:
        yield lambda workers=1, **settings: stacks.enter_context(
            Stack(tmp_path_factory.mktemp("stack"), workers=workers, settings={**SETTINGS, **settings})
        )


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("stack"), workers=2, settings=SETTINGS) as stack:
        yield stack


@pytest.fixture
def stack(running: Stack) -> Stack:
    """Return the shared stack, after restarting processes that an earlier test killed."""
    running.replace_dead()
    return running


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., BrowserPage]]:
    """Open a page in a new browser profile, or in that of `beside`; fail on any error that is not allowed."""
    opened: list[BrowserPage] = []

    def open_page(
        kind: type[BrowserPage], stack: Stack, path: str, *, beside: BrowserPage | None = None, **options: Any
    ) -> BrowserPage:
        context = beside.page.context if beside else browser.new_context(**{"viewport": VIEWPORT, **options})
        opened.append(kind(context.new_page(), stack.url))
        opened[-1].open(path)
        return opened[-1]

    yield open_page
    for page in opened:
        page.page.context.close()
    for page in opened:
        assert page.errors() == []


@pytest.fixture
def open_chat(open_page: Callable[..., ChatPage]) -> Callable[..., ChatPage]:
    """Open the chat page."""

    def open_chat(stack: Stack, path: str = "/", **options: Any) -> ChatPage:
        return open_page(ChatPage, stack, path, **options)

    return open_chat


@pytest.fixture
def open_operator(open_page: Callable[..., OperatorPage]) -> Callable[..., OperatorPage]:
    """Open the operator page."""

    def open_operator(stack: Stack, path: str = "/operator", **options: Any) -> OperatorPage:
        return open_page(OperatorPage, stack, path, **options)

    return open_operator


@pytest.fixture
def chat(open_chat: Callable[..., ChatPage], stack: Stack) -> ChatPage:
    """Open an empty chat."""
    return open_chat(stack)
