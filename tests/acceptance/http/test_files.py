"""Images and files in a turn: uploaded, referred to, sent to the model, shown, and deleted."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import Request

import pytest
from langchain_community.chat_message_histories import RedisChatMessageHistory
from langchain_core.messages import HumanMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder

from tests.support.processes import DIRECT, HttpResponse, Stack, call

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
ASSISTANTS = """
[assistants.default]
system = "You are a helpful assistant."

[assistants.vision]
accepts = ["text", "image", "image_url", "file"]

[assistants.chain]
chain = "tests.acceptance.http.test_files:build"
runs_in = "loop"
accepts = ["text", "image"]
"""


def build(model: Any) -> Any:
    """Return a chain that asks the model with the question as it comes."""
    return ChatPromptTemplate.from_messages([MessagesPlaceholder("question")]) | model


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    directory = Path(tmp_path_factory.mktemp("files"))
    (directory / "assistants.toml").write_text(ASSISTANTS, encoding="utf-8")
    return {
        "INTURN_ASSISTANTS": str(directory / "assistants.toml"),
        "INTURN_FILES": f"file:{directory}/kept",
        "INTURN_MAX_FILE_BYTES": "1000",
        "INTURN_FILE_TTL_SECONDS": "3600",
    }


def upload(stack: Stack, content: bytes = PNG, kind: str = "image/png", query: str = "?name=cat.png") -> HttpResponse:
    return call(f"{stack.url}/v1/files{query}", method="POST", body=content, headers={"Content-Type": kind})


@pytest.fixture
def image(stack: Stack) -> dict[str, str]:
    """Return the part of an uploaded image."""
    response = upload(stack)
    assert response.status == 201, response
    return {"type": "image", "file_id": response.body["id"]}


def ask(stack: Stack, *parts: dict[str, str], assistant: str = "vision", session_id: str = "s") -> dict[str, Any]:
    body = {"session_id": session_id, "assistant": assistant, "input": list(parts)}
    response = call(f"{stack.url}/v1/turns", method="POST", body=body)
    assert response.status == 202, response
    return stack.wait_until_finished(response.body["id"])


def text(content: str) -> dict[str, str]:
    return {"type": "text", "text": content}


@pytest.mark.parametrize("assistant", ["vision", "chain"])
def test_the_model_sees_those_very_bytes(stack: Stack, image: dict[str, str], assistant: str) -> None:
    turn = ask(stack, text("What is this?"), image, assistant=assistant, session_id=assistant)
    assert turn["status"] == "completed", turn["error"]
    [question, seen] = stack.model_requests()[-1]["messages"][-1]["content"]
    assert question == text("What is this?")
    assert seen["image_url"]["url"] == f"data:image/png;base64,{base64.b64encode(PNG).decode()}"


def test_lists_and_messages_show_placeholders_and_parts(stack: Stack, image: dict[str, str]) -> None:
    turn = ask(stack, text("Look:"), image, session_id="shown")
    shown = [
        {"type": "text", "text": "Look:", "file_id": None, "url": None, "name": None, "media_type": None},
        {**image, "text": None, "url": None, "name": "cat.png", "media_type": "image/png"},
    ]
    assert (turn["input"], turn["input_parts"]) == ("Look:\n[image: cat.png]", shown)
    [question, answer] = stack.messages("shown")
    assert (question["content"], question["parts"]) == ("Look:\n[image: cat.png]", shown)
    assert answer["parts"] is None


def test_the_stock_history_reads_the_parts(stack: Stack, image: dict[str, str]) -> None:
    ask(stack, text("Look:"), image, session_id="stock")
    [question, _] = RedisChatMessageHistory("stock", url=stack.store.url).messages
    assert isinstance(question, HumanMessage)
    assert [block["type"] for block in question.content_blocks] == ["text", "image"]
    assert "base64" not in json.dumps(question.content)


def test_a_later_turn_sees_the_image_in_its_history(stack: Stack, image: dict[str, str]) -> None:
    ask(stack, text("Look:"), image, session_id="later")
    ask(stack, text("And now?"), session_id="later")
    first, _, last = stack.model_requests()[-1]["messages"]
    assert [block["type"] for block in first["content"]] == ["text", "image_url"]
    assert last["content"] == [text("And now?")]
    plain = stack.wait_until_finished(stack.submit("later", "plain"))  # an assistant that takes only text
    assert plain["status"] == "completed"
    assert stack.model_requests()[-1]["messages"][1]["content"][1] == text("[image: cat.png]")


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        ([], "input: must not be empty"),
        ([{"type": "video"}], "input.0.type: must be 'text', 'image' or 'file'"),
        ([{"type": "text"}], "input.0: must have text, and no other field besides type"),
        ([{"type": "image", "text": "x"}], "input.0: must have file_id or url, and no other field besides type"),
        ([{"type": "image", "file_id": "cat.png"}], "input.0.file_id: "),
        ([{"type": "image", "url": "file:///etc/passwd"}], "input.0.url: "),
        ([{"type": "image", "file_id": f"file_{'0' * 32}"}], "input.0.file_id: there is no such file"),
        (
            [{"type": "text", "text": "a", "size": 3}],
            "input.0.size: is not known; known fields: type, text, file_id, url",
        ),
        ([{"type": "text", "text": "x" * 100_000}] * 2, "input: must have at most 131072 bytes of text in all parts"),
        ([{"type": "text", "text": "x"}] * 17, "input: has too many entries"),
    ],
)
def test_a_wrong_part_is_refused(stack: Stack, parts: list[dict[str, Any]], error: str) -> None:
    body = {"session_id": "bad", "assistant": "vision", "input": parts}
    response = call(f"{stack.url}/v1/turns", method="POST", body=body)
    assert response.status == 400, response
    assert response.body["detail"].startswith(error)


def test_an_assistant_refuses_what_it_does_not_take(stack: Stack, image: dict[str, str]) -> None:
    body = {"session_id": "bad", "input": [text("Look:"), image]}
    refused = call(f"{stack.url}/v1/turns", method="POST", body=body).body
    assert refused["errors"] == [{"field": "input.1.type", "rule": "assistant 'default' takes text, but not image"}]
    wrong = {"session_id": "bad", "assistant": "vision", "input": [{**image, "type": "file"}]}
    assert call(f"{stack.url}/v1/turns", method="POST", body=wrong).body["detail"].startswith("input.0.type: must be")


@pytest.mark.parametrize(
    ("content", "kind", "query", "status"),
    [
        (PNG, "image/jpeg", "", 415),
        (PNG, "text/html", "", 415),
        (b"<script>", "image/svg+xml", "", 415),
        (b"x" * 1001, "text/plain", "", 413),
        (b"", "text/plain", "", 400),
        (PNG, "image/png", "?name=a/b", 400),
        (PNG, "image/png", "?nam=a", 400),
        (PNG, "application/octet-stream", "", 201),
        (b"a,b", "text/csv; charset=utf-8", "?name=t.csv&user_id=alice", 201),
    ],
)
def test_an_upload_is_checked(stack: Stack, content: bytes, kind: str, query: str, status: int) -> None:
    assert upload(stack, content, kind, query).status == status


def test_a_form_uploads_a_file(stack: Stack) -> None:
    form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhello\r\n--x--\r\n'
    stored = upload(stack, form, "multipart/form-data; boundary=x", "")
    assert (stored.body["name"], stored.body["media_type"], stored.body["size_bytes"]) == ("a.txt", "text/plain", 5)
    without = b'--x\r\nContent-Disposition: form-data; name="other"\r\n\r\nhello\r\n--x--\r\n'
    assert upload(stack, without, "multipart/form-data; boundary=x", "").body["detail"] == "file: is required in a form"


def fetch(url: str) -> tuple[bytes, dict[str, str]]:
    with DIRECT.open(Request(url), timeout=20) as response:
        return response.read(), dict(response.headers)


def test_content_is_sent_so_that_a_browser_runs_nothing(stack: Stack, image: dict[str, str]) -> None:
    content, headers = fetch(f"{stack.url}/v1/files/{image['file_id']}")
    assert content == PNG
    assert headers["Content-Type"] == "image/png"
    assert headers["Content-Disposition"] == "inline; filename*=UTF-8''cat.png"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in headers["Content-Security-Policy"]
    page = upload(stack, b"<script>alert(1)</script>", "text/plain", "?name=%C3%A9.html").body["id"]
    _, headers = fetch(f"{stack.url}/v1/files/{page}")
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert headers["Content-Disposition"] == "attachment; filename*=UTF-8''%C3%A9.html"


def test_a_file_belongs_to_its_user(stack: Stack) -> None:
    url = f"{stack.url}/v1/files/{upload(stack, query='?user_id=alice').body['id']}"
    assert call(f"{url}/metadata").body["code"] == "file_not_found"
    assert call(f"{url}/metadata?user_id=bob").status == 404
    assert call(f"{url}/metadata?user_id=alice").body["user_id"] == "alice"
    assert call(url, method="DELETE").status == 204
    assert call(f"{url}/metadata?user_id=alice").status == 200
    assert call(f"{url}?user_id=alice", method="DELETE").status == 204
    assert call(f"{url}/metadata?user_id=alice").status == 404


@pytest.mark.parametrize("assistant", ["vision", "chain"])
def test_an_image_that_a_model_draws_is_a_file(stack: Stack, assistant: str) -> None:
    session = f"draws-{assistant}"
    turn = ask(stack, text(f"Draw: [draw {base64.b64encode(PNG).decode()}]"), assistant=assistant, session_id=session)
    words, image = turn["output"]["parts"]
    assert words == text(turn["output"]["content"])
    assert image == {"type": "image", "file_id": image["file_id"], "media_type": "image/png", "url": None}
    url = f"{stack.url}/v1/files/{image['file_id']}"
    assert fetch(url)[0] == PNG
    [_, answer] = stack.messages(session)
    assert [part["file_id"] for part in answer["parts"]] == [None, image["file_id"]]
    assert call(url, method="DELETE").body["code"] == "file_in_use"
    [_, stored] = RedisChatMessageHistory(session, url=stack.store.url).messages
    assert "base64" not in json.dumps(stored.content)
    assert call(f"{stack.url}/v1/sessions/{session}", method="DELETE").status == 204
    assert call(url, method="DELETE").status == 204


def test_a_file_in_a_session_is_not_deleted(stack: Stack, image: dict[str, str]) -> None:
    url = f"{stack.url}/v1/files/{image['file_id']}"
    ask(stack, image, session_id="keeps")
    assert call(url, method="DELETE").body["code"] == "file_in_use"
    assert call(f"{stack.url}/v1/sessions/keeps", method="DELETE").status == 204
    assert call(url, method="DELETE").status == 204
    assert call(f"{url}/metadata").status == 404


def test_a_missing_file_fails_its_turn(start: Callable[..., Stack], settings: dict[str, str], tmp_path: Path) -> None:
    stack = start(workers=0, **{**settings, "INTURN_FILES": f"file:{tmp_path}"})
    part = {"type": "image", "file_id": upload(stack).body["id"]}
    body = {"session_id": "s", "assistant": "vision", "input": [part]}
    turn_id = call(f"{stack.url}/v1/turns", method="POST", body=body).body["id"]
    next(path for path in tmp_path.rglob("file_*") if path.is_file()).unlink()
    stack.workers.append(stack.start_worker())
    assert stack.wait_until_finished(turn_id)["error"]["code"] == "file_missing"
