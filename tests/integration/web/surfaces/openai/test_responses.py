"""Requests for responses and conversations, in an app on a real server that has no worker."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.integration.web.surfaces.openai.conftest import NewApp
from turns.access.api_key import Scope
from turns.access.api_keys import ApiKeyStore
from turns.backend.client import Client
from turns.config.settings import Settings
from turns.domain.run.claim import Claim
from turns.domain.turn import Turn
from turns.store.turns import TurnStore
from web.surfaces.openai.responses.submission import Submission

ASSISTANTS = """
[assistants.default]
system = "You are a helpful assistant."
accepts = ["text", "image", "image_url", "file"]
"""
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64
Send = Callable[..., Any]


@pytest.fixture
def app(settings: Settings, new_app: NewApp, tmp_path: Any) -> Flask:
    (tmp_path / "assistants.toml").write_text(ASSISTANTS)
    return new_app(settings.model_copy(update={"assistants": tmp_path / "assistants.toml"}))


@pytest.fixture
def send(app: Flask) -> Send:
    def send(method: str, path: str, body: Any = None, *, status: int = 200, **headers: str) -> Any:
        """Return the body of the response, or of the error if another `status` is expected."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        response: Any = app.test_client().open(f"/openai/v1{path}", method=method, json=body, headers=given)
        assert response.status_code == status, response.json
        return response.json if status == 200 else response.json["error"]

    return send


@pytest.fixture
def create(send: Send) -> Send:
    def create(question: Any = "hello", *, status: int = 200, headers: Any = None, **more: Any) -> Any:
        body = {"input": question, "background": True, **more}
        return send("POST", "/responses", body, status=status, **(headers or {}))

    return create


@pytest.fixture
def answer(store: TurnStore, claim: Callable[[Turn], Claim], commit: Callable[[Claim], None]) -> Callable[[Any], None]:
    def answer(response: Any) -> None:
        commit(claim(store.get_turn(response["id"].replace("resp_", "turn_"))))

    return answer


def test_a_response_follows_its_conversation(create: Send, answer: Callable[[Any], None]) -> None:
    first = create()
    answer(first)
    second = create("more", previous_response_id=first["id"])
    assert second["conversation"] == first["conversation"]
    branch = create("other", previous_response_id=first["id"])
    assert branch["conversation"] != first["conversation"]
    refused = create(previous_response_id=create("third", conversation=second["conversation"])["id"])
    assert refused["conversation"] == second["conversation"]
    assert create(previous_response_id=second["id"], status=409)["code"] == "conversation_changed"
    both = create(previous_response_id=first["id"], conversation="c", status=400)
    assert both["param"] == "previous_response_id"


def test_a_repeated_key_returns_the_same_response(create: Send, answer: Callable[[Any], None]) -> None:
    first = create(headers={"Idempotency_Key": "1"})
    assert create(headers={"Idempotency_Key": "1"})["id"] == first["id"]
    answer(first)
    second = create("two", previous_response_id=first["id"], headers={"Idempotency_Key": "2"})
    assert create("two", previous_response_id=first["id"], headers={"Idempotency_Key": "2"})["id"] == second["id"]
    branch = create("three", previous_response_id=first["id"], headers={"Idempotency_Key": "3"})
    assert create("three", previous_response_id=first["id"], headers={"Idempotency_Key": "3"})["id"] == branch["id"]
    assert branch["conversation"] != first["conversation"]
    assert create("four", headers={"Idempotency_Key": "1"}, status=422)["code"] == "idempotency_key_reused"


def test_a_request_that_its_client_repeats_is_one_turn(create: Send, answer: Callable[[Any], None]) -> None:
    first, retry = {"x-stainless-retry-count": "0"}, {"x-stainless-retry-count": "1"}
    past = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]
    begun = create(past, headers=first)
    answer(begun)
    assert create(past, headers=retry)["id"] == begun["id"]
    create("followed", conversation=begun["conversation"])
    branch = create("branch", previous_response_id=begun["id"], headers=first)
    assert branch["conversation"] != begun["conversation"]
    assert create("branch", previous_response_id=begun["id"], headers=retry)["id"] == branch["id"]
    assert create("branch", previous_response_id=begun["id"], headers=first)["id"] != branch["id"]
    alone = create(past, store=False, headers=first)
    assert create(past, store=False, headers=retry)["id"] == alone["id"] != create(past, store=False)["id"]


def test_a_user_has_other_conversations(create: Send, send: Send, answer: Callable[[Any], None]) -> None:
    mine = create(conversation="c", headers={"X_InTurn_User": "ada"})
    answer(mine)
    assert send("GET", "/conversations/c/items", X_InTurn_User="ada")["data"] == []
    assert send("GET", "/conversations/c", X_InTurn_User="ada")["created_at"] > 0
    assert send("GET", "/conversations/c/items", status=404)["code"] == "session_not_found"
    assert send("GET", "/conversations/c", X_InTurn_User=" ", status=400)["param"] == "X-InTurn-User"


def test_a_token_is_for_its_user(app: Flask, create: Send, send: Send, client: Client) -> None:
    key = ApiKeyStore(client).create_key("acme", [Scope.TURNS])[0]
    headers = {"Authorization": f"Bearer {key}"}
    made = app.test_client().post("/v1/tokens", json={"user_id": "ada"}, headers=headers)
    ada = {"Authorization": f"Bearer {made.json['token']}"}  # type: ignore[index]
    mine, theirs = create(conversation="c", headers=ada), create(conversation="c", headers=headers)
    assert send("GET", f"/responses/{mine['id']}", **ada)["status"] == "queued"
    for method, path in (("GET", ""), ("POST", "/cancel"), ("DELETE", ""), ("GET", "/input_items")):
        refused = send(method, f"/responses/{theirs['id']}{path}", status=404, **ada)
        assert refused["code"] == "turn_not_found"
    assert send("GET", "/conversations/c", status=403, X_InTurn_User="bob", **ada)["type"] == "permission_error"
    assert create(previous_response_id=theirs["id"], status=404, headers=ada)["code"] == "turn_not_found"


def test_images_and_files_are_parts(app: Flask, create: Send, send: Send) -> None:
    uploaded = app.test_client().post("/v1/files", data=PNG, headers={"Content-Type": "image/png"})
    file_id = uploaded.json["id"]  # type: ignore[index]
    content = [
        {"type": "input_text", "text": "compare"},
        {"type": "input_image", "file_id": file_id, "detail": "auto"},
        {"type": "input_image", "image_url": "https://example.com/cat.png", "detail": "high"},
    ]
    response = create([{"role": "user", "content": content}])
    [item] = send("GET", f"/responses/{response['id']}/input_items")["data"]
    assert [part["type"] for part in item["content"]] == ["input_text", "input_image", "input_image"]
    assert (item["content"][1]["file_id"], item["content"][2]["image_url"]) == (file_id, "https://example.com/cat.png")


def test_bytes_in_a_question_are_stored_as_files(app: Flask, create: Send, send: Send) -> None:
    """As in chat completions; the turn refers to them, and a repeated request is the same response."""
    picture, text = (base64.b64encode(content).decode() for content in (PNG, b"some text"))
    content = [
        {"type": "input_image", "image_url": f"data:image/png;base64,{picture}"},
        {"type": "input_file", "file_data": f"data:text/plain;base64,{text}", "filename": "a.txt"},
    ]
    response = create([{"role": "user", "content": content}], headers={"Idempotency-Key": "k"})
    assert create([{"role": "user", "content": content}], headers={"Idempotency-Key": "k"})["id"] == response["id"]
    [item] = send("GET", f"/responses/{response['id']}/input_items")["data"]
    image, file = item["content"]
    assert app.test_client().get(f"/v1/files/{image['file_id']}").data == PNG
    assert (app.test_client().get(f"/v1/files/{file['file_id']}").data, file["filename"]) == (b"some text", "a.txt")


@pytest.mark.parametrize(
    ("part", "param"),
    [
        ({"type": "input_image", "image_url": "data:image/png;base64,?"}, "image_url"),
        ({"type": "input_file", "file_data": "x", "filename": "a.pdf"}, "file_data"),
        ({"type": "input_file", "filename": "a.pdf"}, "file_id"),
    ],
)
def test_unreadable_bytes_in_a_question_are_refused(create: Send, part: dict[str, str], param: str) -> None:
    assert create([{"role": "user", "content": [part]}], status=400)["param"] == f"input.0.content.0.{param}"


def test_responses_sent_at_once_after_one_are_branches(
    app: Flask, create: Send, answer: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither request sees that the other one follows the response too."""
    first = create("first")
    answer(first)
    monkeypatch.setattr(Submission, "_is_followed", lambda *_: False)
    both = [create(text, previous_response_id=first["id"])["conversation"]["id"] for text in ("one", "another")]
    assert both[0] == first["conversation"]["id"]
    assert both[1] != both[0]


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"input": 1}, "input"),
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": [{"role": "assistant", "content": "x"}]}, "input.0.role"),
        ({"input": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "input.0.content.0.type"),
        ({"input": [{"type": "function_call_output"}]}, "input.0.type"),
        ({"conversation": "a b"}, "conversation"),
        ({"prompt": {"id": "default", "variables": {"x": "1"}}}, "prompt.variables.x"),
        ({"prompt": {"id": "default", "version": "1"}}, "prompt.version"),
        ({"prompt": {"id": "default"}, "model": "other"}, "model"),
        ({"metadata": {"a": 1}}, "metadata.a"),
        ({"text": {"format": {"type": "json_schema", "name": "x", "schema": {"type": "y"}}}}, "text.format.schema"),
        ({"text": {"format": {"type": "other"}}}, "text.format.type"),
        ({"on_busy": "never"}, "on_busy"),
        ({"store": False, "conversation": "c"}, "store"),
        ({"instructions": 1}, "instructions"),
        ({"instructions": "x" * 10**6}, "instructions"),
    ],
)
def test_a_wrong_parameter_is_named(create: Send, given: dict[str, Any], param: str) -> None:
    refused = create(given.get("input", "hello"), status=400, **{k: v for k, v in given.items() if k != "input"})
    assert refused["param"] == param


def test_a_conversation_begins_as_a_name(send: Send) -> None:
    name = send("POST", "/conversations", {})["id"]
    assert send("GET", f"/conversations/{name}")["metadata"] == {}
    assert send("POST", f"/conversations/{name}", {"metadata": {"a": "1"}}, status=400)["param"] == "metadata"
    assert send("POST", "/conversations", {"metadata": {"a": "1"}}, status=400)["code"] == "unsupported_parameter"
    items = [{"role": "user", "content": f"number {n}"} for n in range(5)]
    send("POST", f"/conversations/{name}/items", {"items": items})
    other = [{"role": "user", "content": "other"}]
    assert send("POST", f"/conversations/{name}/items", {"items": other}, status=409)["code"] == "session_not_empty"
    page = send("GET", f"/conversations/{name}/items?limit=2")
    rest = send("GET", f"/conversations/{name}/items?limit=10&after={page['last_id']}")
    assert [item["content"][0]["text"] for item in page["data"] + rest["data"]] == [
        f"number {n}" for n in range(4, -1, -1)
    ]
    assert (page["has_more"], rest["has_more"]) == (True, False)
    assert send("GET", f"/conversations/{name}/items/msg_x", status=404)["code"] == "item_not_found"
    assert send("DELETE", f"/conversations/{name}/items/{page['last_id']}", status=400)["param"] == "item_id"


def test_a_response_that_is_not_one(send: Send, create: Send) -> None:
    assert send("GET", "/responses/turn_1", status=404)["code"] == "turn_not_found"
    response = create()
    wrong = send("GET", f"/responses/{response['id']}?stream=true&starting_after=x", status=400)
    assert wrong["param"] == "starting_after"
    assert json.dumps(send("POST", f"/responses/{response['id']}/cancel")["incomplete_details"]) == "null"
