"""One page in a browser that records every console message, exception and failed request."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import ConsoleMessage, Page, Request, expect

from tests.support.waiting import wait_until

REPORT_VIOLATIONS = """
addEventListener('securitypolicyviolation', (event) =>
  console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""
ABORTED = "net::ERR_ABORTED"  # the page aborts its requests when it is closed or stops following a turn

TIMEOUT_MS = 60_000  # far longer than a page takes, because the machine may be busy

expect.set_options(timeout=TIMEOUT_MS)


class BrowserPage:
    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self._url = url
        self._errors: list[str] = []
        self._allowed: list[str] = []
        page.set_default_timeout(TIMEOUT_MS)
        page.add_init_script(REPORT_VIOLATIONS)
        page.on("console", self._record_message)
        page.on("pageerror", lambda error: self._errors.append(f"error: {error}"))
        page.on("requestfailed", self._record_failure)

    def open(self, path: str) -> None:
        self.page.goto(self._url + path)

    def reload(self) -> None:
        self.page.reload()

    def allow_error(self, pattern: str) -> None:
        """Ignore errors that match the pattern, for tests that break something on purpose."""
        self._allowed.append(pattern)

    def errors(self) -> list[str]:
        return [error for error in self._errors if not any(re.search(pattern, error) for pattern in self._allowed)]

    def click_button(self, label: str) -> None:
        self.page.get_by_role("button", name=label, exact=True).last.click()

    def set_hidden(self, *, hidden: bool) -> None:
        """Simulate a switch to another tab, or back."""
        self.page.evaluate(
            """(hidden) => {
              Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
              document.dispatchEvent(new Event('visibilitychange'));
            }""",
            hidden,
        )

    def tab_to(self, label: str) -> None:
        """Press Tab until the button or link with this name has the focus."""
        name = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"
        for _ in range(300):  # the sidebar has several for each session of the service
            if self.page.evaluate(name).strip() == label:
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{label!r} cannot be reached by Tab")

    def evaluate(self, script: str, argument: Any = None) -> Any:
        """Run a script that can import the page's modules from `$static`."""
        main = self.page.locator("script[type=module]").get_attribute("src")
        assert main
        return self.page.evaluate(script.replace("$static", re.sub(r"/\w+/main\.js$", "", main)), argument)

    def record_requests(self) -> list[str]:
        """Return a list that receives every later request as `METHOD path`."""
        requests: list[str] = []
        self.page.on(
            "request", lambda request: requests.append(f"{request.method} {request.url.removeprefix(self._url)}")
        )
        return requests

    def wait_until(self, what: str, holds: Callable[[], object]) -> None:
        """Wait like the function of this name, but let the page run meanwhile."""

        def holds_now() -> object:
            self.page.wait_for_timeout(1)
            return holds()

        wait_until(what, holds_now)

    def _record_message(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self._errors.append(f"{message.type}: {message.text} {message.location.get('url', '')}")

    def _record_failure(self, request: Request) -> None:
        if request.failure != ABORTED:
            self._errors.append(f"failed: {request.method} {request.url} {request.failure}")
