"""The list of sessions, and the addresses that lead to them."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.chat import Chat
from tests.support.processes import Stack, call


def test_an_address_leads_to_a_session_and_back_to_the_one_before(
    chat: Chat, visit: Callable[..., Chat], stack: Stack
) -> None:
    stack.finished(stack.submit("linked", "said over the API"))
    chat.say("said here")
    chat.wait_for("done")
    here = chat.session_id
    chat.sessions.filter(has_text="said over the API").get_by_role("link").click()
    expect(chat.turns.locator(".said")).to_have_text("You" + "said over the API")
    assert chat.session_id == "linked"
    chat.page.go_back()
    expect(chat.turns.locator(".said")).to_contain_text("said here")
    assert chat.session_id == here
    elsewhere = visit(stack, "/?session=linked")
    elsewhere.wait_for("done")


def test_sessions_of_a_user_are_told_apart(visit: Callable[..., Chat], stack: Stack) -> None:
    stack.finished(stack.submit("mine", "said by alice", user_id="alice"))
    chat = visit(stack, "/?session=mine&user=alice")
    chat.fill_variable()
    chat.wait_for("done")
    chat.say("said by alice again")
    chat.wait_for("done", count=2)
    assert stack.turn(chat.turn_id)["user_id"] == "alice"


def test_the_first_line_is_the_title_until_somebody_gives_another(chat: Chat) -> None:
    chat.say("What is a prime?\nAnd why?")
    chat.wait_for("done")
    item = chat.sessions.filter(has_text="What is a prime?")
    expect(item.locator(".title")).to_have_text("What is a prime?")
    item.get_by_role("button", name="Rename What is a prime?").click()
    box = chat.page.get_by_role("textbox", name="New name of What is a prime?")
    box.fill("Primes")
    box.press("Enter")
    expect(chat.sessions.first.locator(".title")).to_have_text("Primes")
    chat.reload()
    expect(chat.page.locator(".session-title")).to_have_text("Primes")


def test_a_deleted_session_comes_back_with_undo_and_is_erased_without(chat: Chat, stack: Stack) -> None:
    chat.say("to be deleted")
    chat.wait_for("done")
    session = f"{stack.url}/v1/sessions/{chat.session_id}"
    address = chat.page.url
    item = chat.sessions.filter(has_text="to be deleted")
    item.get_by_role("button", name="Delete to be deleted", exact=True).click()
    expect(item).to_have_count(0)
    expect(chat.turns).to_have_count(0)
    chat.press("Undo")
    expect(item).to_have_count(1)
    chat.wait_for("done")
    assert chat.page.url == address

    item.get_by_role("button", name="Delete to be deleted", exact=True).click()
    assert call(session).status == 200, "there is time to undo"
    chat.reload()
    expect(item, "a reload forgets no deletion").to_have_count(0)
    expect(chat.page.locator(".undo button")).to_have_count(0)
    assert call(session).status == 404


def test_a_session_that_another_tab_deletes_is_left(chat: Chat, visit: Callable[..., Chat], stack: Stack) -> None:
    chat.say("seen twice")
    chat.wait_for("done")
    other = visit(stack, f"/?session={chat.session_id}", beside=chat)
    other.wait_for("done")
    call(f"{stack.url}/v1/sessions/{chat.session_id}", method="DELETE")
    other.expect_trouble("404")  # it looks what is left of it
    chat.expect_trouble("404")
    expect(other.turns).to_have_count(0)


def test_earlier_messages_are_shown_when_asked_for(visit: Callable[..., Chat], stack: Stack) -> None:
    for n in range(104):
        last = stack.submit("many", f"message {n}")
        if n % 50 == 49:  # no more of them may wait at once
            stack.finished(last)
    stack.finished(last)
    chat = visit(stack, "/?session=many")
    chat.wait_for("done", count=100)
    chat.press("Show earlier messages")
    chat.wait_for("done", count=104)
    expect(chat.turns.first.locator(".said p")).to_have_text("message 0")
