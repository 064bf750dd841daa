"""The chat page as a user sees it."""

import re

from playwright.sync_api import Locator, expect

from tests.browser.support.browser_page import BrowserPage


class ChatPage(BrowserPage):
    def open(self, path: str = "/") -> None:
        super().open(path)
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
    def user_messages(self) -> Locator:
        return self.turns.locator(".user-message p")

    @property
    def sessions(self) -> Locator:
        return self.page.get_by_role("navigation", name="Chats").get_by_role("listitem")

    def save_settings(self, *, theme: str = "System", user: str = "") -> None:
        self.page.get_by_role("button", name="Settings").click()  # the user's id may follow
        self.page.get_by_text(theme, exact=True).click()
        self.page.get_by_role("textbox", name="User").fill(user)
        self.click_button("Save")

    def choose_assistant(self, name: str) -> None:
        self.page.get_by_role("combobox", name="Assistant").select_option(name)

    def fill_variable(self, value: str) -> None:
        self.page.get_by_label("ability").fill(value)

    def send(self, text: str) -> None:
        self.message.fill(text)
        self.message.press("Enter")

    def turns_in_state(self, state: str) -> Locator:
        return self.page.locator(f"article[data-state={state}]")

    def wait_for_state(self, state: str, *, count: int = 1) -> None:
        expect(self.turns_in_state(state)).to_have_count(count)

    def wait_for_status(self, text: str | re.Pattern[str]) -> None:
        """Wait until the status line of a turn contains this text."""
        expect(self.page.locator(".turn-status").filter(has_text=text).first).to_be_visible()

    def last_answer(self) -> str:
        """Return the visible text of the last answer."""
        text: str = self.page.locator("article .markdown").last.inner_text()
        return text

    def wait_for_answer_text(self) -> None:
        expect(self.page.locator("article .markdown").last).to_contain_text("answer to")

    @property
    def turn_id(self) -> str:
        found = self.turns.last.get_attribute("data-turn")
        assert found
        return found

    @property
    def session_id(self) -> str:
        return self.page.url.partition("session=")[2]
