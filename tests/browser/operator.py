"""The operator page, in the words of somebody who uses it."""

from playwright.sync_api import Locator, expect

from tests.browser.visitor import Visitor


class Operator(Visitor):
    def go(self, address: str = "/operator") -> None:
        super().go(address)
        expect(self.heading).to_be_visible()

    @property
    def heading(self) -> Locator:
        return self.page.get_by_role("heading", level=1)

    @property
    def verdict(self) -> Locator:
        """What the glance at the top says."""
        return self.page.locator(".verdict")

    @property
    def view(self) -> Locator:
        return self.page.get_by_role("main")

    @property
    def notice(self) -> Locator:
        """What was done last, or why it was not."""
        return self.page.locator(".notice")

    @property
    def banners(self) -> Locator:
        return self.page.locator(".banner")

    @property
    def question(self) -> Locator:
        return self.page.get_by_role("dialog")

    def number(self, name: str) -> Locator:
        """One of the numbers below the verdict."""
        return self.page.locator(".numbers > div").filter(has=self.page.get_by_text(name, exact=True)).locator("dd")

    def rows(self, table: str) -> Locator:
        return self.page.get_by_role("table", name=table, exact=True).locator("tbody").get_by_role("row")

    def find(self, text: str) -> None:
        box = self.page.get_by_role("searchbox", name="Find a turn, session or user by id")
        box.fill(text)
        box.press("Enter")

    def open_view(self, name: str) -> None:
        self.page.get_by_role("navigation", name="Views").get_by_role("link", name=name).click()
        expect(self.heading).to_contain_text(name)

    def follow(self, name: str) -> None:
        self.view.get_by_role("link", name=name).first.click()

    def confirm(self, question: str, yes: str) -> None:
        expect(self.question.get_by_role("heading")).to_have_text(question)
        self.question.get_by_role("button", name=yes, exact=True).click()
        expect(self.question).to_have_count(0)
