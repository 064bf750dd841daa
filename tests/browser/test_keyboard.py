"""The chat page used with the keyboard and with a screen reader."""

from playwright.sync_api import expect

from tests.browser.support.chat_page import ChatPage
from tests.support.processes import Stack


def test_send_stop_and_edit_with_the_keyboard(chat: ChatPage, stack: Stack) -> None:
    keys = chat.page.keyboard
    keys.press("Shift+Escape")
    expect(chat.message).to_be_focused()
    keys.type("by hand [gate hand]")
    keys.press("Enter")
    chat.wait_for_state("thinking")
    keys.press("Escape")
    chat.wait_for_state("stopped")
    keys.press("ArrowUp")
    expect(chat.message).to_have_value("by hand [gate hand]")
    stack.open_gate("hand")
    keys.press("Enter")
    chat.wait_for_state("done")
    before = chat.turns_in_state("done").get_attribute("data-turn")
    expect(chat.page.get_by_role("button", name="Regenerate")).to_be_visible()
    chat.tab_to("Regenerate")
    keys.press("Enter")
    expect(chat.turns_in_state("done")).not_to_have_attribute("data-turn", before or "")


def test_sessions_with_the_keyboard(chat: ChatPage) -> None:
    keys = chat.page.keyboard
    chat.send("the older one")
    chat.wait_for_state("done")
    keys.press("Control+Shift+KeyO")
    expect(chat.turns).to_have_count(0)
    expect(chat.message).to_be_focused()
    keys.type("the newer one")
    keys.press("Enter")
    chat.wait_for_state("done")
    expect(chat.sessions.first).to_contain_text("the newer one")
    keys.press("Alt+ArrowDown")
    expect(chat.page.locator(".chat-title")).to_have_text("the older one")
    keys.press("Alt+ArrowUp")
    expect(chat.page.locator(".chat-title")).to_have_text("the newer one")
    chat.tab_to("Rename the newer one")
    keys.press("Enter")
    keys.type("renamed")
    keys.press("Enter")
    expect(chat.page.locator(".chat-title")).to_have_text("renamed")
    chat.tab_to("Delete renamed")
    keys.press("Enter")
    chat.tab_to("Undo")
    keys.press("Enter")
    expect(chat.page.locator(".chat-title")).to_have_text("renamed")


def test_shortcuts_dialog_opens_and_closes(chat: ChatPage) -> None:
    dialog = chat.page.get_by_role("dialog", name="Keyboard shortcuts")
    chat.page.keyboard.press("Control+Slash")
    expect(dialog).to_be_visible()
    chat.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    chat.tab_to("All shortcuts")
    chat.page.keyboard.press("Enter")
    expect(dialog).to_be_visible()
    chat.page.keyboard.press("Control+Slash")
    expect(dialog).to_be_hidden()


def test_screen_readers_get_the_answer_once(chat: ChatPage, stack: Stack) -> None:
    announcer = chat.page.locator("#announcer")
    chat.send("aloud [hold aloud]")
    expect(announcer).to_have_text("Answering")
    stack.open_gate("aloud")
    chat.wait_for_state("done")
    expect(announcer).to_contain_text("Answer: answer to aloud")
    assert chat.page.locator("[aria-live], [role=log]").count() == 0
