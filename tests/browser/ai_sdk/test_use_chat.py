"""`useChat` with its default transport: exact text and order over reloads and killed processes."""

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.support.backend import Backend, serve_page, start_service
from tests.support.processes import Stack, call
from tests.support.waiting import wait_until
from tools import ROOT

HERE, VENDOR = Path(__file__).parent, ROOT / "tests" / "browser" / "vendor"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
DATA_URL = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
RELEASES = {"v6": VENDOR / "ai-sdk-react-3.0.328.js", "v7": VENDOR / "ai-sdk-react-4.0.177.js"}


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    files = {"/": HERE / "page.html", **{f"/{release}.js": file for release, file in RELEASES.items()}}
    with serve_page(lambda path: files.get(path, HERE / "nothing")) as backend:
        yield backend


@pytest.fixture(scope="module")
def service(start: Callable[..., Stack], backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    directory = Path(tmp_path_factory.mktemp("files"))
    (directory / "assistants.toml").write_text("[assistants.default]\naccepts = ['text', 'image']\n")
    settings = {"INTURN_ASSISTANTS": str(directory / "assistants.toml"), "INTURN_FILES": f"file:{directory}/kept"}
    return start_service(backend, start, **settings)


@pytest.fixture
def open_chat(browser: Browser, backend: Backend, service: Stack) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a chat with a release of the hook."""
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))

    def open_chat(chat: str, release: str = "v7", *, more: str = "") -> Page:
        page.goto(f"{backend.url}/?service={service.url}&release={release}&chat={chat}{more}")
        return page

    yield open_chat
    page.close()
    assert errors == []


def send(page: Page, text: str) -> None:
    page.get_by_label("Message").fill(text)
    page.keyboard.press("Enter")


def committed(service: Stack, backend: Backend, chat: str) -> list[str]:
    page = call(f"{service.url}/v1/sessions/{chat}/messages?user_id=ada&limit=100", api_key=backend.api_key)
    return [message["content"] for message in page.body["data"]]


def wait_until_busy(service: Stack, backend: Backend, chat: str) -> None:
    wait_until("the chat has a live turn", lambda: status(service, backend, chat) == "busy")


def wait_until_idle(service: Stack, backend: Backend, chat: str) -> None:
    """Wait as long as a new worker may take to start."""
    wait_until("the chat has no live turn", lambda: status(service, backend, chat) == "idle", seconds=60)


def status(service: Stack, backend: Backend, chat: str) -> str | None:
    session = call(f"{service.url}/v1/sessions/{chat}?user_id=ada", api_key=backend.api_key)
    found: str | None = session.body.get("status")
    return found


@pytest.mark.parametrize("release", RELEASES)
def test_three_messages_survive_reloads_and_kills(
    open_chat: Callable[..., Page], service: Stack, backend: Backend, release: str
) -> None:
    chat = f"survives-{release}"
    page = open_chat(chat, release)
    send(page, f"one [hold one-{release}]")
    expect(page.locator("p[data-role=assistant]")).not_to_be_empty()
    page.reload()
    expect(page.locator("p[data-role=assistant]")).not_to_be_empty()
    service.open_gate(f"one-{release}")
    expect(page.locator("output")).to_have_text("ready")

    send(page, f"two [gate two-{release}]")
    wait_until_busy(service, backend, chat)
    page.reload()
    expect(page.locator("p[data-role=user]")).to_have_count(2)
    service.workers[0].kill()
    service.replace_dead()
    service.open_gate(f"two-{release}")
    wait_until_idle(service, backend, chat)
    expect(page.locator("p[data-role=assistant]").nth(1)).to_contain_text("two")
    expect(page.locator("output")).to_have_text("ready")

    service.web.kill()
    service.web = service.start_web()
    service.wait_until_ready(workers=1)
    send(page, "three")
    expect(page.locator("p[data-role=assistant]").nth(2)).to_contain_text("three")
    expect(page.locator("output")).to_have_text("ready")
    assert page.locator("p[data-role]").all_text_contents() == committed(service, backend, chat)


def test_text_of_a_lost_run_is_taken_back(open_chat: Callable[..., Page], service: Stack, backend: Backend) -> None:
    page = open_chat("reset", "v7")
    send(page, "again [hold reset]")
    expect(page.locator("p[data-role=assistant]")).not_to_be_empty()
    service.workers[0].kill()
    service.replace_dead()
    service.open_gate("reset")
    wait_until_idle(service, backend, "reset")
    expect(page.locator("output")).to_have_text("ready")
    assert page.locator("p[data-role]").all_text_contents() == committed(service, backend, "reset")


def test_v6_ends_with_an_error_and_resumes(open_chat: Callable[..., Page], service: Stack, backend: Backend) -> None:
    page = open_chat("error", "v6")
    send(page, "again [hold error]")
    expect(page.locator("p[data-role=assistant]")).not_to_be_empty()
    service.workers[0].kill()
    service.replace_dead()
    expect(page.get_by_role("alert")).to_contain_text("begins again")
    page.reload()
    service.open_gate("error")
    wait_until_idle(service, backend, "error")
    expect(page.locator("output")).to_have_text("ready")
    expect(page.locator("p[data-role=assistant]")).to_contain_text("again")
    assert page.locator("p[data-role]").all_text_contents() == committed(service, backend, "error")


@pytest.mark.parametrize("release", RELEASES)
def test_a_page_follows_turns_that_wait(
    open_chat: Callable[..., Page], service: Stack, backend: Backend, release: str
) -> None:
    """They were sent by another page, or before this one was loaded."""
    chat = f"waiting-{release}"
    for text in (f"one [gate {chat}]", "two", "three"):
        body = {"session_id": chat, "user_id": "ada", "input": text}
        call(f"{service.url}/v1/turns", method="POST", body=body, api_key=backend.api_key)
    page = open_chat(chat, release, more="&waiting=yes")
    expect(page.locator("p[data-role=user]")).to_have_text([f"one [gate {chat}]"])
    service.open_gate(chat)
    expect(page.locator("p[data-role]")).to_have_count(6)
    expect(page.locator("output")).to_have_text("ready")
    wait_until_idle(service, backend, chat)
    assert page.locator("p[data-role]").all_text_contents() == committed(service, backend, chat)


def test_stop_cancels_the_turn(open_chat: Callable[..., Page], service: Stack, backend: Backend) -> None:
    page = open_chat("stop")
    send(page, "long [gate never]")
    wait_until_busy(service, backend, "stop")
    page.get_by_role("button", name="Stop").click()
    url = f"{service.url}/v1/turns?session_id=stop&user_id=ada"
    wait_until(
        "the turn is cancelled",
        lambda: [turn["status"] for turn in call(url, api_key=backend.api_key).body["data"]] == ["cancelled"],
    )
    expect(page.locator("output")).to_have_text("ready")
    page.reload()
    send(page, "short")
    expect(page.locator("p[data-role=assistant]")).to_contain_text("short")


def test_regenerate_replaces_the_answer(open_chat: Callable[..., Page], service: Stack, backend: Backend) -> None:
    page = open_chat("regenerate")
    send(page, "hello")
    expect(page.locator("p[data-role=assistant]")).to_contain_text("hello")
    expect(page.locator("output")).to_have_text("ready")
    page.get_by_role("button", name="Regenerate").click()
    turns = f"{service.url}/v1/turns?session_id=regenerate&user_id=ada"
    expect(page.locator("output")).to_have_text("ready")
    page.reload()
    expect(page.locator("p[data-role=assistant]")).to_have_count(1)
    newest = call(turns, api_key=backend.api_key).body["data"]
    assert len(newest) == 2
    assert newest[0]["regenerates"] == newest[1]["id"]


def test_retry_asks_a_question_that_has_no_answer_yet(
    open_chat: Callable[..., Page], service: Stack, backend: Backend
) -> None:
    """After an error, pages offer `regenerate` as a retry: of a request that has not arrived, or of a failed turn."""
    page = open_chat("retry")
    send(page, "one")
    expect(page.locator("p[data-role=assistant]")).to_contain_text("one")
    expect(page.locator("output")).to_have_text("ready")
    before = committed(service, backend, "retry")
    service.web.kill()
    send(page, "two [once-fail 400]")
    expect(page.get_by_role("alert")).to_be_visible()
    service.web = service.start_web()
    service.wait_until_ready(workers=1)
    retry = page.get_by_role("button", name="Regenerate")
    retry.click()
    expect(page.get_by_role("alert")).to_contain_text("rejected")
    retry.click()
    expect(page.locator("p[data-role=assistant]").nth(1)).to_contain_text("two")
    expect(page.locator("output")).to_have_text("ready")
    after = committed(service, backend, "retry")
    assert page.locator("p[data-role]").all_text_contents() == after
    assert (after[:2], after[2], len(after)) == (before, "two [once-fail 400]", 4)


def test_a_page_that_missed_an_answer_must_reload(
    open_chat: Callable[..., Page], service: Stack, backend: Backend
) -> None:
    page = open_chat("missed")
    send(page, "one")
    expect(page.locator("p[data-role=assistant]")).to_contain_text("one")
    body = {"session_id": "missed", "user_id": "ada", "input": "from elsewhere"}
    other = call(f"{service.url}/v1/turns", method="POST", body=body, api_key=backend.api_key).body
    call(f"{service.url}/v1/turns/{other['id']}?wait=20", api_key=backend.api_key)
    send(page, "two")
    expect(page.get_by_role("alert")).to_have_text("This conversation was continued elsewhere. Load it again.")
    assert len(committed(service, backend, "missed")) == 4


def test_an_image_reaches_the_model_and_a_reloaded_page(
    open_chat: Callable[..., Page], service: Stack, backend: Backend
) -> None:
    page = open_chat("image")
    image = {"name": "cat.png", "mimeType": "image/png", "buffer": PNG}
    page.locator("input[type=file]").set_input_files(image)  # type: ignore[arg-type]
    send(page, "what is this?")
    expect(page.locator("p[data-role=assistant]")).to_contain_text("answer")
    expect(page.locator("output")).to_have_text("ready")
    asked = service.model_requests()[-1]["messages"][-1]["content"]
    assert [part["type"] for part in asked] == ["image_url", "text"]
    assert asked[0]["image_url"]["url"] == DATA_URL
    page.reload()
    path = page.get_by_alt_text("cat.png").get_attribute("data-url")
    token = backend.create_token().decode()
    request = urllib.request.Request(f"{service.url}{path}", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request) as response:
        assert response.read() == PNG


def test_a_repeated_message_with_an_image_is_one_turn(service: Stack, backend: Backend) -> None:
    """The image is stored again, because only its content shows that it is the same."""
    parts = [{"type": "file", "mediaType": "image/png", "url": DATA_URL}, {"type": "text", "text": "what is this?"}]
    chat = {"id": "repeated", "messages": [{"id": "m1", "role": "user", "parts": parts}]}
    first, second = (post(service, backend, chat)[1].partition(b"\n")[0] for _ in range(2))
    assert first == second
    assert len(committed(service, backend, "repeated")) == 2


def test_a_file_that_cannot_be_used_is_refused_by_its_place(service: Stack, backend: Backend) -> None:
    part = {"type": "file", "mediaType": "image/png", "url": "data:image/png;base64,?"}
    chat = {"id": "wrong", "messages": [{"id": "m1", "role": "user", "parts": [part]}]}
    assert post(service, backend, chat) == (
        400,
        b"messages.0.parts.0.url: must have valid base64 after the comma",
    )


def post(service: Stack, backend: Backend, chat: dict[str, Any]) -> tuple[int, bytes]:
    """Send a request of the hook, and return the status and the whole response."""
    request = urllib.request.Request(
        f"{service.url}/ai/v7/chat",
        json.dumps(chat).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {backend.create_token().decode()}"},
    )
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read()


def test_no_turn_of_another_chat_is_regenerated(service: Stack, backend: Backend) -> None:
    body = {"session_id": "others", "user_id": "bob", "input": "hello"}
    others = call(f"{service.url}/v1/turns", method="POST", body=body, api_key=backend.api_key).body["id"]
    call(f"{service.url}/v1/turns/{others}?wait=20", api_key=backend.api_key)
    chat = {"id": "mine", "trigger": "regenerate-message", "messageId": others, "messages": [{"role": "user"}]}
    assert post(service, backend, chat) == (404, b"There is no such turn.")
