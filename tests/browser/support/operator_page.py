"""The operator page as an operator sees it."""

import re

from playwright.sync_api import Locator, expect

from tests.browser.support.browser_page import BrowserPage


class OperatorPage(BrowserPage):
    def open(self, path: str = "/operator") -> None:
        super().open(path)
        expect(self.heading).to_be_visible()

    @property
    def heading(self) -> Locator:
        return self.page.get_by_role("heading", level=1)

    @property
    def verdict(self) -> Locator:
        """The findings at the top of the page."""
        return self.page.locator(".verdict")

    @property
    def view(self) -> Locator:
        return self.page.get_by_role("main")

    @property
    def notice(self) -> Locator:
        """The result of the last action."""
        return self.page.locator(".notice")

    @property
    def banners(self) -> Locator:
        return self.page.locator(".banner")

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    def number(self, name: str) -> Locator:
        """Return the tile with this name."""
        return self.page.locator(".numbers > div").filter(has=self.page.get_by_text(name, exact=True)).locator("dd")

    def count(self, view: str) -> Locator:
        """Return the number beside the tab of this view."""
        return self.page.get_by_role("navigation", name="Views").get_by_role("link", name=view).locator(".count")

    def rows(self, table: str) -> Locator:
        return self.page.get_by_role("table", name=table, exact=True).locator("tbody").get_by_role("row")

    def find(self, text: str) -> None:
        box = self.page.get_by_role("searchbox", name="Find a turn, session, user, request or tenant")
        box.fill(text)
        box.press("Enter")

    @property
    def menu(self) -> Locator:
        """The views that have no place in the bar."""
        return self.page.locator("#more-views")

    def view_names(self) -> list[str]:
        links = self.page.get_by_role("navigation", name="Views").locator("a")
        return list(dict.fromkeys(re.sub(r"\s*[\d,]+$", "", text) for text in links.all_text_contents()))

    def open_view(self, name: str) -> None:
        """Open a view by its tab, which may be in the menu."""
        views = self.page.get_by_role("navigation", name="Views")
        if not views.locator("a:visible", has_text=name).count():
            self.click_button("More")
        views.locator("a:visible", has_text=name).click()
        expect(self.heading).to_contain_text(name)

    def click_link(self, name: str) -> None:
        self.view.get_by_role("link", name=name).first.click()

    def confirm(self, title: str, label: str) -> None:
        expect(self.dialog.get_by_role("heading")).to_have_text(title)
        self.dialog.get_by_role("button", name=label, exact=True).click()
        expect(self.dialog).to_have_count(0)
