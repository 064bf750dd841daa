"""Somebody at one page of a browser, who notices everything that goes wrong in it."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import ConsoleMessage, Page, Request, expect

from tests.support.waiting import wait_until

REPORT_VIOLATIONS = """
addEventListener('securitypolicyviolation', (event) =>
  console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""
# A page that is left, or leaves a turn, ends its requests.
LEFT = "net::ERR_ABORTED"

expect.set_options(timeout=20_000)


class Visitor:
    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self._url = url
        self._troubles: list[str] = []
        self._expected: list[str] = []
        page.set_default_timeout(20_000)
        page.add_init_script(REPORT_VIOLATIONS)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self._troubles.append(f"error: {error}"))
        page.on("requestfailed", self._failed)

    def go(self, address: str) -> None:
        self.page.goto(self._url + address)

    def reload(self) -> None:
        self.page.reload()

    def expect_trouble(self, pattern: str) -> None:
        """This test breaks something, and the browser will say so."""
        self._expected.append(pattern)

    def troubles(self) -> list[str]:
        return [said for said in self._troubles if not any(re.search(pattern, said) for pattern in self._expected)]

    def press(self, label: str) -> None:
        self.page.get_by_role("button", name=label, exact=True).last.click()

    def hide(self, *, hidden: bool) -> None:
        """What a browser does to a tab behind another one."""
        self.page.evaluate(
            """(hidden) => {
              Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
              document.dispatchEvent(new Event('visibilitychange'));
            }""",
            hidden,
        )

    def tab_to(self, label: str) -> None:
        """Presses Tab until the button or link of that name has the focus."""
        name = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"
        for _ in range(60):
            if self.page.evaluate(name).strip() == label:
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{label!r} cannot be reached by Tab")

    def evaluate(self, script: str, argument: Any = None) -> Any:
        """Runs a script that can import the page's own modules from `$static`."""
        main = self.page.locator("script[type=module]").get_attribute("src")
        assert main
        return self.page.evaluate(script.replace("$static", re.sub(r"/\w+/main\.js$", "", main)), argument)

    def requests(self) -> list[str]:
        """All requests from here on, as `METHOD path`."""
        seen: list[str] = []
        self.page.on("request", lambda request: seen.append(f"{request.method} {request.url.removeprefix(self._url)}"))
        return seen

    def wait_until(self, what: str, holds: Callable[[], object]) -> None:
        """Like `wait_until`, while the page goes on."""

        def holds_now() -> object:
            self.page.wait_for_timeout(1)
            return holds()

        wait_until(what, holds_now)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self._troubles.append(f"{message.type}: {message.text} {message.location.get('url', '')}")

    def _failed(self, request: Request) -> None:
        if request.failure != LEFT:
            self._troubles.append(f"failed: {request.method} {request.url} {request.failure}")
