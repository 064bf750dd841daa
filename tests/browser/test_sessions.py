"""The list of sessions and their URLs."""

from collections.abc import Callable
from urllib.parse import urlencode

from playwright.sync_api import Route, expect

from tests.browser.support.chat_page import ChatPage
from tests.support.processes import Stack, call


def test_url_opens_a_session_and_back_returns(chat: ChatPage, open_chat: Callable[..., ChatPage], stack: Stack) -> None:
    stack.wait_until_finished(stack.submit("linked", "sent over the API"))
    chat.send("sent here")
    chat.wait_for_state("done")
    first = chat.session_id
    chat.sessions.filter(has_text="sent over the API").get_by_role("link").click()
    expect(chat.user_messages).to_have_text("sent over the API")
    assert chat.session_id == "linked"
    chat.page.go_back()
    expect(chat.turns.locator(".user-message")).to_contain_text("sent here")
    assert chat.session_id == first
    elsewhere = open_chat(stack, "/?session=linked")
    elsewhere.wait_for_state("done")


def test_sessions_belong_to_a_user(open_chat: Callable[..., ChatPage], stack: Stack) -> None:
    stack.wait_until_finished(stack.submit("mine", "sent by alice", user_id="alice"))
    chat = open_chat(stack, "/?session=mine&user=alice")
    chat.wait_for_state("done")
    chat.send("sent by alice again")
    chat.wait_for_state("done", count=2)
    assert stack.turn(chat.turn_id)["user_id"] == "alice"


def test_ids_with_separators_work_on_the_page(open_chat: Callable[..., ChatPage], stack: Stack) -> None:
    session, user = "https://idp/a+b?c=%2F&d#<i>", "Łódź|日本/🌈@example.com"
    stack.wait_until_finished(stack.submit(session, "sent under odd ids", user_id=user))
    chat = open_chat(stack, f"/?{urlencode({'session': session, 'user': user})}")
    chat.send("and again")
    chat.wait_for_state("done", count=2)
    assert (stack.turn(chat.turn_id)["session_id"], stack.turn(chat.turn_id)["user_id"]) == (session, user)
    chat.reload()
    chat.wait_for_state("done", count=2)
    listed = chat.sessions.filter(has_text="sent under odd ids")
    expect(listed).to_contain_text(user)
    chat.page.keyboard.press("Control+Shift+KeyO")
    listed.get_by_role("link").click()
    expect(chat.user_messages).to_have_text(["sent under odd ids", "and again"])


def test_a_message_sent_before_the_history_is_no_title(open_chat: Callable[..., ChatPage], stack: Stack) -> None:
    chat = open_chat(stack)
    held: list[Route] = []
    chat.page.route("**/v1/sessions/long-ago/messages*", lambda route: held.append(route), times=2)  # noqa: PLW0108  # Playwright takes functions only
    stack.wait_until_finished(stack.submit("long-ago", "the first message"))
    chat.page.goto(f"{stack.url}/?session=long-ago")
    chat.send("the second message")
    expect(chat.user_messages).to_have_text(["the second message"])
    for route in held:
        route.continue_()
    expect(chat.sessions.filter(has_text="the first message")).to_have_count(1)
    expect(chat.user_messages).to_have_text(["the first message", "the second message"])


def test_settings_choose_user_and_theme(open_chat: Callable[..., ChatPage], stack: Stack) -> None:
    stack.wait_until_finished(stack.submit("of-no-user", "sent without a user"))
    chat = open_chat(stack)
    expect(chat.sessions.filter(has_text="sent without a user")).to_have_count(1)
    chat.save_settings(user="carol", theme="Dark")
    expect(chat.sessions).to_have_count(0)
    chat.send("sent by carol")
    chat.wait_for_state("done")
    expect(chat.sessions.locator(".title")).to_have_text(["sent by carol"])
    assert stack.turn(chat.turn_id)["user_id"] == "carol"
    chat.reload()
    chat.wait_for_state("done")
    assert chat.page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    chat.save_settings()
    expect(chat.sessions.filter(has_text="sent without a user")).to_have_count(1)


def test_wrong_user_is_explained_in_the_settings(chat: ChatPage) -> None:
    chat.save_settings(user="two words")
    expect(chat.page.get_by_role("dialog", name="Settings")).to_be_visible()
    message = chat.page.get_by_role("textbox", name="User").evaluate("field => field.validationMessage")
    assert message == "Enter 1 to 255 characters without spaces, but not . or .. alone."
    chat.page.keyboard.press("Escape")
    expect(chat.page.get_by_role("button", name="Settings")).to_be_focused()


def test_search_finds_sessions_by_title(chat: ChatPage, stack: Stack) -> None:
    for session in ("plums", "pears"):
        stack.wait_until_finished(stack.submit(session, f"Recipe with {session}"))
    chat.reload()
    expect(chat.sessions.filter(has_text="Recipe with")).to_have_count(2)
    chat.page.keyboard.press("Control+KeyK")
    chat.page.keyboard.type("WITH PLUMS")
    expect(chat.sessions.locator(".title")).to_have_text(["Recipe with plums"])
    chat.page.keyboard.press("Enter")
    expect(chat.page.locator(".chat-title")).to_have_text("Recipe with plums")
    chat.page.keyboard.type(" and more")
    expect(chat.page.get_by_text("No chat has this in its title.")).to_be_visible()
    chat.page.keyboard.press("Escape")
    expect(chat.sessions.filter(has_text="Recipe with")).to_have_count(2)


def test_sessions_are_grouped_by_day(chat: ChatPage) -> None:
    groups = chat.evaluate(
        """async () => {
          const { dateGroup } = await import("$static/chat/dates.js");
          const now = new Date(2026, 2, 31, 0, 30); // two days after the change to summer time in Europe
          const before = (days) => dateGroup(new Date(2026, 2, 31 - days, 23, 50), now);
          return [before(0), before(1), before(2), before(7), before(8), before(30), before(31), dateGroup(null, now)];
        }"""
    )
    assert groups == ["Today", "Yesterday"] + ["Previous 7 days"] * 2 + ["Previous 30 days"] * 2 + ["Older", "Today"]


def test_title_has_no_markdown(chat: ChatPage) -> None:
    texts = {
        "## **Plan** the `garden`\nNow": "Plan the garden",
        "1. see [the docs](https://example.org/a_b)": "see the docs",
        "snake_case and 2*3*4": "snake_case and 2*3*4",
        "word " * 20: " ".join(["word"] * 12) + "…",
        "```": "```",
    }
    script = 'async (texts) => texts.map((await import("$static/chat/titles.js")).titleOf)'
    assert chat.evaluate(script, list(texts)) == list(texts.values())


def test_title_is_the_first_line_until_renamed(
    chat: ChatPage, open_chat: Callable[..., ChatPage], stack: Stack
) -> None:
    chat.send("What is a prime?\nAnd why?")
    chat.wait_for_state("done")
    item = chat.sessions.filter(has_text="What is a prime?")
    expect(item.locator(".title")).to_have_text("What is a prime?")
    item.get_by_role("button", name="Rename What is a prime?").click()
    box = chat.page.get_by_role("textbox", name="New name for What is a prime?")
    box.fill("Primes")
    box.press("Enter")
    expect(chat.sessions.first.locator(".title")).to_have_text("Primes")
    expect(chat.page.locator(".chat-title")).to_have_text("Primes")
    assert call(f"{stack.url}/v1/sessions/{chat.session_id}").body["title"] == "Primes"
    elsewhere = open_chat(stack, f"/?session={chat.session_id}")
    expect(elsewhere.page.locator(".chat-title")).to_have_text("Primes")
    patched = call(f"{stack.url}/v1/sessions/{chat.session_id}", method="PATCH", body={"title": None})
    assert patched.body["title"] == "What is a prime?"
    expect(elsewhere.page.locator(".chat-title")).to_have_text("What is a prime?")


def test_undo_restores_a_deleted_session(chat: ChatPage, stack: Stack) -> None:
    chat.send("to be deleted")
    chat.wait_for_state("done")
    session = f"{stack.url}/v1/sessions/{chat.session_id}"
    url = chat.page.url
    item = chat.sessions.filter(has_text="to be deleted")
    item.get_by_role("button", name="Delete to be deleted", exact=True).click()
    expect(item).to_have_count(0)
    expect(chat.turns).to_have_count(0)
    chat.click_button("Undo")
    expect(item).to_have_count(1)
    chat.wait_for_state("done")
    assert chat.page.url == url

    item.get_by_role("button", name="Delete to be deleted", exact=True).click()
    assert call(session).status == 200, "the session was deleted before the time to undo was over"
    chat.reload()
    expect(item, "the deletion survives a reload").to_have_count(0)
    expect(chat.page.locator(".undo button")).to_have_count(0)
    assert call(session).status == 404


def test_page_leaves_a_session_deleted_elsewhere(
    chat: ChatPage, open_chat: Callable[..., ChatPage], stack: Stack
) -> None:
    chat.send("seen twice")
    chat.wait_for_state("done")
    other = open_chat(stack, f"/?session={chat.session_id}", beside=chat)
    other.wait_for_state("done")
    call(f"{stack.url}/v1/sessions/{chat.session_id}", method="DELETE")
    other.allow_error("404")  # the page reloads the session
    chat.allow_error("404")
    expect(other.turns).to_have_count(0)


def test_earlier_messages_are_loaded_on_request(open_chat: Callable[..., ChatPage], stack: Stack) -> None:
    for n in range(104):
        last = stack.submit("many", f"message {n}")
        if n % 50 == 49:  # the session accepts no more waiting turns
            stack.wait_until_finished(last)
    stack.wait_until_finished(last)
    chat = open_chat(stack, "/?session=many")
    chat.wait_for_state("done", count=100)
    chat.click_button("Show earlier messages")
    chat.wait_for_state("done", count=104)
    expect(chat.user_messages.first).to_have_text("message 0")
