"""Images and files on the chat page: attached, pasted and dropped, and shown in the conversation."""

import base64
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.support.chat_page import ChatPage
from tests.support.processes import Stack
from tests.support.waiting import wait_until

PASTE = """([data, kind]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], "pasted.png", { type: "image/png" }));
  const name = kind === "drop" ? "dataTransfer" : "clipboardData";
  const type = kind === "drop" ? DragEvent : ClipboardEvent;
  const event = new type(kind, { bubbles: true, cancelable: true, [name]: transfer });
  document.querySelector("textarea").dispatchEvent(event);
}"""


def png(width: int = 160, height: int = 90) -> bytes:
    """Return an image with a gradient, so that a screenshot shows it."""
    rows = b"".join(
        b"\0" + bytes(value for x in range(width) for value in (255 * x // width, 255 * y // height, 140))
        for y in range(height)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.fixture(scope="module")
def vision(start: Callable[..., Stack], tmp_path_factory: pytest.TempPathFactory) -> Stack:
    path = Path(tmp_path_factory.mktemp("assistants")) / "assistants.toml"
    path.write_text("[assistants.default]\naccepts = ['text', 'image', 'file']\n\n[assistants.plain]\n")
    return start(INTURN_ASSISTANTS=str(path), INTURN_FILES=f"file:{path.parent}/files", INTURN_MAX_FILE_BYTES="100000")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "gradient.png"
    path.write_bytes(png())
    return path


def thumbnails(chat: ChatPage) -> Locator:
    return chat.turns.locator("img.thumbnail")


def attach(chat: ChatPage, *paths: Path) -> None:
    chat.page.locator("input[type=file]").set_input_files(list(paths))
    expect(chat.page.get_by_label("Attached files").get_by_role("listitem")).to_have_count(len(paths))


def test_an_attached_image_is_sent_and_shown(
    open_chat: Callable[..., ChatPage], vision: Stack, picture: Path, tmp_path: Path
) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("hello")
    chat = open_chat(vision)
    attach(chat, picture, notes)
    chat.send("What is this?")
    chat.wait_for_state("done")
    expect(chat.page.get_by_label("Attached files")).to_have_count(0)
    kinds = [block["type"] for block in vision.model_requests()[-1]["messages"][-1]["content"]]
    assert kinds == ["text", "image_url", "text"]
    vision.store.raw.delete(f"inturn:turn:{chat.turn_id}")  # its record has expired; the history refers to the files
    chat.reload()
    expect(chat.user_messages).to_have_text("What is this?")
    expect(thumbnails(chat)).to_have_count(1)
    expect(chat.turns.locator(".file")).to_have_text("notes.txt")
    chat.page.wait_for_function("document.querySelector('article img.thumbnail').naturalWidth === 160")


def test_a_pasted_or_dropped_image_is_sent(open_chat: Callable[..., ChatPage], vision: Stack, picture: Path) -> None:
    chat = open_chat(vision)
    expect(chat.page.get_by_role("button", name="Attach files")).to_be_visible()
    for kind in ("paste", "drop"):
        chat.page.evaluate(PASTE, [base64.b64encode(picture.read_bytes()).decode(), kind])
    expect(chat.page.locator(".attachments img")).to_have_count(2)
    chat.message.press("Enter")  # images need no text
    chat.wait_for_state("done")
    expect(chat.user_messages).to_have_count(0)
    expect(thumbnails(chat)).to_have_count(2)
    asked = requests_with_images(vision)
    chat.click_button("Regenerate")
    wait_until("the images are sent again", lambda: requests_with_images(vision) == asked + 1)
    chat.wait_for_state("done")
    expect(thumbnails(chat)).to_have_count(2)


def requests_with_images(stack: Stack) -> int:
    """Return how often the model was sent two images in one message."""
    return sum(str(request["messages"][-1]).count("image_url") >= 2 for request in stack.model_requests())


def test_an_image_that_a_model_gives_back_is_shown(open_chat: Callable[..., ChatPage], vision: Stack) -> None:
    chat = open_chat(vision)
    chat.send(f"Draw: [draw {base64.b64encode(png(8, 8)).decode()}]")
    chat.wait_for_state("done")
    expect(chat.page.locator(".answer img.thumbnail")).to_have_count(1)
    vision.store.raw.delete(f"inturn:turn:{chat.turn_id}")  # its record has expired; the history refers to the image
    chat.reload()
    expect(chat.page.locator(".answer img.thumbnail")).to_have_count(1)
    expect(chat.page.locator(".answer")).not_to_contain_text("[image]")


def test_a_refused_file_says_why_and_can_be_removed(
    open_chat: Callable[..., ChatPage], vision: Stack, tmp_path: Path
) -> None:
    chat = open_chat(vision)
    chat.allow_error("415")
    program = tmp_path / "program.png"
    program.write_bytes(b"\x7fELF\x02\x01\x01\x00")
    attach(chat, program)
    expect(chat.page.get_by_label("Attached files")).to_contain_text("The content is not image/png")
    chat.page.get_by_role("button", name="Remove program.png").click()
    expect(chat.page.get_by_label("Attached files")).to_have_count(0)
    chat.choose_assistant("plain")
    expect(chat.page.get_by_role("button", name="Attach files")).to_have_count(0)
