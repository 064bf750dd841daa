"""The chat page, in the words of somebody who uses it."""

import re

from playwright.sync_api import Locator, expect

from tests.browser.visitor import Visitor


class Chat(Visitor):
    def go(self, address: str = "/") -> None:
        super().go(address)
        expect(self.message).to_be_visible()

    def reload(self) -> None:
        super().reload()
        expect(self.message).to_be_visible()

    @property
    def message(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message", exact=True)

    @property
    def turns(self) -> Locator:
        return self.page.locator("article.turn")

    @property
    def sessions(self) -> Locator:
        return self.page.get_by_role("navigation", name="Sessions").get_by_role("listitem")

    def fill_variable(self, value: str = "math") -> None:
        self.page.get_by_label("ability").fill(value)

    def say(self, text: str) -> None:
        self.message.fill(text)
        self.message.press("Enter")

    def in_state(self, state: str) -> Locator:
        return self.page.locator(f"article[data-state={state}]")

    def wait_for(self, state: str, *, count: int = 1) -> None:
        expect(self.in_state(state)).to_have_count(count)

    def wait_for_words(self, words: str | re.Pattern[str]) -> None:
        expect(self.page.locator(".standing").filter(has_text=words).first).to_be_visible()

    def answer(self) -> str:
        """The text of the last answer, as one reads it."""
        text: str = self.page.locator("article .markdown").last.inner_text()
        return text

    def wait_for_text(self) -> None:
        expect(self.page.locator("article .markdown").last).to_contain_text("word0")

    @property
    def turn_id(self) -> str:
        found = self.turns.last.get_attribute("data-turn")
        assert found
        return found

    @property
    def session_id(self) -> str:
        return self.page.url.partition("session=")[2]
