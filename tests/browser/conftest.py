"""The pages as people meet it: a real browser, the real stack, and only the model scripted."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.chat import Chat
from tests.browser.operator import Operator
from tests.browser.visitor import Visitor
from tests.support.processes import Stack

CHROMIUM = "/usr/bin/chromium"
INSTALL = ("apt-get update", "apt-get install -y --no-install-recommends chromium")
ARGUMENTS = [
    "--no-sandbox",  # as root, in a container, it has none
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
# A dead worker is missed soon, so that the tests need not wait for it; everything else is as it comes.
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
        pytest.fail(
            "The tests of the pages need Chromium, and none was found. On Debian or Ubuntu: apt-get install chromium"
        )
    return found


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Stack]]:
    started: list[Stack] = []

    def start(*, workers: int = 1, **settings: str) -> Stack:
        started.append(build(tmp_path_factory, workers=workers, **settings))
        return started[-1]

    yield start
    for stack in started:
        stack.stop()


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = build(tmp_path_factory, workers=2)
    yield stack
    stack.stop()


def build(tmp_path_factory: pytest.TempPathFactory, *, workers: int, **settings: str) -> Stack:
    return Stack(Path(tmp_path_factory.mktemp("stack")), workers=workers, settings={**SETTINGS, **settings})


@pytest.fixture
def stack(running: Stack) -> Stack:
    """The one that most tests share; what an earlier one has killed in it runs again."""
    running.replace_dead()
    return running


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Visitor]]:
    """Opens a page, in a browser of its own unless `beside` names another visitor. Nothing may go wrong in any."""
    opened: list[Visitor] = []

    def open_page(
        kind: type[Visitor], stack: Stack, address: str, *, beside: Visitor | None = None, **context: Any
    ) -> Visitor:
        own = beside.page.context if beside else browser.new_context(viewport={"width": 1100, "height": 760}, **context)
        opened.append(kind(own.new_page(), stack.url))
        opened[-1].go(address)
        return opened[-1]

    yield open_page
    for visitor in opened:
        visitor.page.context.close()
    for visitor in opened:
        assert visitor.troubles() == []


@pytest.fixture
def visit(open_page: Callable[..., Chat]) -> Callable[..., Chat]:
    """Opens the chat page."""

    def visit(stack: Stack, address: str = "/", **more: Any) -> Chat:
        return open_page(Chat, stack, address, **more)

    return visit


@pytest.fixture
def operate(open_page: Callable[..., Operator]) -> Callable[..., Operator]:
    """Opens the operator page."""

    def operate(stack: Stack, address: str = "/operator", **more: Any) -> Operator:
        return open_page(Operator, stack, address, **more)

    return operate


@pytest.fixture
def chat(visit: Callable[..., Chat], stack: Stack) -> Chat:
    """An empty chat whose assistant has what it asks for."""
    chat = visit(stack)
    chat.fill_variable()
    return chat
