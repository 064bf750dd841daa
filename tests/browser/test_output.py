"""What an answer has beside its text: tools and reasoning above it, sources and images below."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.support.chat_page import ChatPage
from tests.support.processes import Stack

FILE = """
[assistants.default]
reasoning = true
[assistants.clock]
chain = "examples.chains.clock:build"
runs_in = "loop"
reasoning = true
tool_details = true
"""
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="


@pytest.fixture(scope="module")
def showing(start: Callable[..., Stack], tmp_path_factory: pytest.TempPathFactory) -> Stack:
    file = tmp_path_factory.mktemp("showing") / "assistants.toml"
    file.write_text(FILE)
    return start(INTURN_ASSISTANTS=str(file))


def steps(chat: ChatPage) -> Locator:
    return chat.turns.locator("details.steps:not(.sources)")


def test_tools_and_reasoning_are_collapsed_above_the_answer(open_chat: Callable[..., ChatPage], showing: Stack) -> None:
    chat = open_chat(showing)
    chat.choose_assistant("clock")
    chat.send("what time is it [call clock] [reason I will look]")
    chat.wait_for_state("done")
    for _ in range(2):
        expect(steps(chat).locator("summary")).to_have_text("Thoughts, used clock")
        expect(steps(chat).get_by_text("I will look")).to_be_hidden()
        steps(chat).locator("summary").click()
        expect(steps(chat).get_by_text("I will look")).to_be_visible()
        expect(steps(chat).locator(".tool")).to_have_text("clock done")
        expect(steps(chat).get_by_label("Result")).to_contain_text("+00:00")
        chat.reload()  # the record of the turn has them too
        chat.wait_for_state("done")


def test_thoughts_are_shown_while_they_come_and_stay_open(open_chat: Callable[..., ChatPage], showing: Stack) -> None:
    chat = open_chat(showing)
    chat.send("hello [reason I am thinking] [hold thinking]")
    steps(chat).locator("summary").click()
    expect(steps(chat).get_by_text("I am thinking")).to_be_visible()
    showing.open_gate("thinking")
    chat.wait_for_state("done")
    expect(steps(chat).locator("summary")).to_have_text("Thoughts")
    expect(steps(chat).get_by_text("I am thinking")).to_be_visible()


def test_sources_and_images_are_below_the_answer(open_chat: Callable[..., ChatPage], showing: Stack) -> None:
    chat = open_chat(showing)
    chat.send(f"hello [cite https://example.org/a] [draw {PIXEL}]")
    chat.wait_for_state("done")
    chat.page.get_by_text("1 source").click()
    expect(chat.page.get_by_role("link", name="A source")).to_have_attribute("href", "https://example.org/a")
    image = chat.page.get_by_alt_text("Image", exact=True)
    expect(image).to_be_visible()
    assert image.evaluate("(image) => image.naturalWidth") == 1
