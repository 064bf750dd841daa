"""Access tokens over HTTP, in an app on a real server."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from turns.access.api_key import Scope
from turns.access.api_keys import ApiKeyStore
from turns.assistants.registry import AssistantRegistry
from turns.backend.client import Client
from turns.config.settings import Settings
from turns.domain.ids import new_turn_id
from turns.domain.run.claim import Claim
from turns.domain.turn import Turn
from web.app import create_app
from web.security import auth

Send = Callable[..., "Answer"]


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    text: str


@pytest.fixture
def app(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """Return an app that caches no keys."""
    monkeypatch.setattr(auth, "KEY_CACHE_SECONDS", 0)
    return create_app(settings, AssistantRegistry(settings))


@pytest.fixture
def key(client: Client) -> str:
    return ApiKeyStore(client).create_key("acme", [Scope.TURNS, Scope.READ, Scope.OPERATOR, Scope.ADMIN])[0]


@pytest.fixture
def send(app: Flask) -> Send:
    def send(method: str, path: str, credential: str | None = None, **options: Any) -> Answer:
        headers = {"Authorization": f"Bearer {credential}"} if credential else {}
        response = app.test_client().open(path, method=method, headers=headers, **options)
        return Answer(response.status_code, response.get_json(silent=True), response.get_data(as_text=True))

    return send


@pytest.fixture
def token(send: Send, key: str) -> Callable[..., str]:
    """Return a function that creates a token and returns its text."""

    def token(*, by: str = key, **body: Any) -> str:
        created = send("POST", "/v1/tokens", by, json=body)
        assert created.status == 201, created.body
        return str(created.body["token"])

    return token


@pytest.fixture
def ended(accept: Callable[..., Turn], claim: Callable[[Turn], Claim], commit: Callable[[Claim], None]) -> Turn:
    turn = accept(session_id="s", user_id="ada", tenant="acme")
    commit(claim(turn))
    return turn


def test_a_page_submits_reads_and_cancels_for_its_user(send: Send, token: Callable[..., str]) -> None:
    ada = token(user_id="ada")
    submitted = send("POST", "/v1/turns", ada, json={"session_id": "s", "input": "hello"})
    assert (submitted.status, submitted.body["user_id"]) == (202, "ada")
    turn = f"/v1/turns/{submitted.body['id']}"
    assert send("GET", turn, ada).status == 200
    assert [found["id"] for found in send("GET", "/v1/turns", ada).body["data"]] == [submitted.body["id"]]
    assert send("GET", "/v1/sessions/s", ada).body["user_id"] == "ada"
    assert send("GET", "/v1/sessions/s?user_id=ada", ada).status == 200
    assert send("POST", f"{turn}/cancel", ada).body["status"] == "cancelled"
    assert send("DELETE", "/v1/sessions/s", ada).status == 204


def test_what_belongs_to_others_is_not_there(send: Send, token: Callable[..., str], key: str) -> None:
    bobs = send("POST", "/v1/turns", key, json={"session_id": "s", "user_id": "bob", "input": "hello"}).body["id"]
    ada = token(user_id="ada")
    unknown = new_turn_id()
    for method, path in (("GET", ""), ("GET", "/events"), ("POST", "/cancel"), ("POST", "/retry")):
        answers = [send(method, f"/v1/turns/{turn_id}{path}", ada) for turn_id in (bobs, unknown)]
        assert [(answer.status, answer.body["code"]) for answer in answers] == [(404, "turn_not_found")] * 2, path
    assert send("GET", "/v1/sessions/s", ada).body["code"] == "session_not_found"
    assert send("GET", "/v1/turns", ada).body["data"] == []
    for path in ("/v1/sessions/s?user_id=bob", "/v1/turns?user_id=bob", "/v1/sessions/s/messages?user_id=bob"):
        refused = send("GET", path, ada)
        assert (refused.status, refused.body["detail"]) == (403, "user_id: this token is for ada alone."), path
    refused = send("POST", "/v1/turns", ada, json={"session_id": "s", "user_id": "bob", "input": "hello"})
    assert refused.status == 403
    assert send("GET", f"/v1/turns/{bobs}", key).body["status"] == "queued"


def test_a_page_lists_and_renames_the_sessions_of_its_user(send: Send, token: Callable[..., str], key: str) -> None:
    for user in ("ada", "bob"):
        send("POST", "/v1/turns", key, json={"session_id": "s", "user_id": user, "input": "hello"})
    ada = token(user_id="ada")
    [session] = send("GET", "/v1/sessions", ada).body["data"]
    assert (session["session_id"], session["user_id"]) == ("s", "ada")
    assert send("PATCH", "/v1/sessions/s", ada, json={"title": "mine"}).body["title"] == "mine"
    assert send("GET", "/v1/sessions/s?user_id=bob", key).body["title"] == "hello"
    for method, path in (("GET", "/v1/sessions?user_id=bob"), ("PATCH", "/v1/sessions/s?user_id=bob")):
        assert send(method, path, ada, json={"title": "his"} if method == "PATCH" else None).status == 403
    one = token(session_id="s", user_id="ada")
    assert send("GET", "/v1/sessions", one).status == 403


def test_a_token_of_a_session_or_turn_is_for_it_alone(send: Send, token: Callable[..., str], key: str) -> None:
    session = token(session_id="s", user_id="ada")
    turn_id = send("POST", "/v1/turns", session, json={"session_id": "s", "input": "hello"}).body["id"]
    other = send("POST", "/v1/turns", session, json={"session_id": "t", "input": "hello"})
    assert (other.status, other.body["detail"]) == (403, "session_id: this token is for s alone.")
    assert send("GET", "/v1/sessions/t", session).status == 403
    assert [found["id"] for found in send("GET", "/v1/turns", session).body["data"]] == [turn_id]
    second = send("POST", "/v1/turns", key, json={"session_id": "s", "user_id": "ada", "input": "hello"}).body["id"]
    turn = token(turn_id=turn_id)
    assert send("GET", f"/v1/turns/{turn_id}", turn).status == 200
    assert send("GET", f"/v1/turns/{second}", turn).status == 404
    for path in ("/v1/turns", "/v1/sessions/s", "/v1/sessions/s/messages"):
        assert send("GET", path, turn).status == 403
    assert send("POST", "/v1/turns", turn, json={"session_id": "s", "input": "hello"}).status == 403


def test_a_page_uploads_for_its_user_and_session(send: Send, token: Callable[..., str], key: str) -> None:
    ada, bob = token(user_id="ada"), token(user_id="bob")
    one, other = token(session_id="s"), token(session_id="t")
    adas = token(session_id="s", user_id="ada")
    for uploader, may_see, may_not_see in (
        (ada, (ada, adas), (bob, one, key)),
        (one, (one, key, ada), (other,)),
        (adas, (adas, ada), (other, bob, one, key)),
    ):
        stored = send("POST", "/v1/files", uploader, data=b"hello")
        assert stored.status == 201, stored.body
        path = f"/v1/files/{stored.body['id']}"
        for reader in may_see:
            assert send("GET", path, reader).text == "hello"
        for reader in may_not_see:
            assert [send("GET", path + end, reader).status for end in ("", "/metadata")] == [404, 404]
            assert send("DELETE", path, reader).status == 204
            part = {"type": "file", "file_id": stored.body["id"]}
            session_id = "t" if reader == other else "s"
            refused = send("POST", "/v1/turns", reader, json={"session_id": session_id, "input": [part]})
            assert refused.body["detail"] == "input.0.file_id: there is no such file"
        assert send("DELETE", path, uploader).status == 204
        assert send("GET", path, uploader).status == 404


def test_some_tokens_upload_nothing(send: Send, token: Callable[..., str], key: str) -> None:
    turn_id = send("POST", "/v1/turns", key, json={"session_id": "s", "input": "hello"}).body["id"]
    reader, of_turn = token(user_id="ada", scopes=["read"]), token(turn_id=turn_id)
    for path, credential in (
        ("/v1/files", reader),
        ("/v1/files", of_turn),
        ("/v1/files?session_id=t", token(session_id="s")),
        ("/v1/files?user_id=bob", token(user_id="ada")),
    ):
        assert send("POST", path, credential, data=b"hello").status == 403, path


def test_a_token_can_do_no_more_than_a_page_needs(send: Send, token: Callable[..., str]) -> None:
    ada = token(user_id="ada")
    for method, path in (
        ("POST", "/v1/tokens"),
        ("POST", "/v1/turns/batch"),
        ("GET", "/v1/usage"),
        ("GET", "/v1/users/ada/sessions"),
        ("PUT", "/v1/sessions/s/messages"),
        ("GET", "/operator/status"),
        ("GET", "/operator/keys"),
        ("GET", "/metrics"),
    ):
        assert send(method, path, ada, json={"user_id": "ada"} if method == "POST" else None).status == 403, path
    reader = token(user_id="ada", scopes=["read"])
    refused = send("POST", "/v1/turns", reader, json={"session_id": "s", "input": "hello"})
    assert (refused.status, refused.body["detail"]) == (403, "This needs a token with scope turns; yours has read.")


def test_a_token_ends_with_its_key(send: Send, token: Callable[..., str], key: str, client: Client) -> None:
    ada = token(user_id="ada")
    assert send("GET", "/v1/turns", ada).status == 200
    ApiKeyStore(client).revoke_key(key.split("_")[1])
    refused = send("GET", "/v1/turns", ada)
    assert (refused.status, refused.body["detail"]) == (401, auth.WRONG_TOKEN)


def test_a_token_expires(send: Send, token: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    ada = token(user_id="ada", expires_in=60)
    for seconds, status in ((59, 200), (62, 401)):
        later = time.time() + seconds
        clock = SimpleNamespace(time=lambda at=later: at, monotonic=time.monotonic)
        monkeypatch.setattr(auth, "time", clock)
        assert send("GET", "/v1/turns", ada).status == status


def test_an_event_stream_takes_its_token_in_the_url(
    send: Send, token: Callable[..., str], key: str, ended: Turn
) -> None:
    text = token(turn_id=ended.id)
    events = f"/v1/turns/{ended.id}/events?after=99-0&token="
    assert send("GET", f"{events}{text}").status == 204
    assert send("GET", f"{events}{text}x").status == 401
    refused = send("GET", f"{events}{key}")
    assert (refused.status, refused.body["errors"][0]["field"]) == (400, "token")
    assert key not in refused.text
    assert send("GET", f"/v1/turns/{ended.id}?token={text}").status == 401, "only event streams take it there"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "user_id"),
        ({"turn_id": f"turn_{'0' * 32}", "user_id": "ada"}, "turn_id"),
        ({"user_id": "a b"}, "user_id"),
        ({"user_id": "ada", "expires_in": 3601}, "expires_in"),
        ({"user_id": "ada", "expires_in": 0}, "expires_in"),
        ({"user_id": "ada", "scopes": ["operator"]}, "scopes.0"),
        ({"user_id": "ada", "scopes": []}, "scopes"),
        ({"user": "ada"}, "user"),
    ],
)
def test_a_wrong_field_is_named(send: Send, key: str, body: dict[str, Any], field: str) -> None:
    refused = send("POST", "/v1/tokens", key, json=body)
    assert (refused.status, refused.body["errors"][0]["field"]) == (400, field)


def test_no_token_is_for_a_turn_of_another_tenant(send: Send, key: str, accept: Callable[..., Turn]) -> None:
    turn = accept(tenant="other")
    assert send("POST", "/v1/tokens", key, json={"turn_id": turn.id}).body["code"] == "turn_not_found"


def test_a_key_cannot_give_a_scope_that_it_has_not(send: Send, client: Client) -> None:
    reader = ApiKeyStore(client).create_key("acme", [Scope.READ])[0]
    assert send("POST", "/v1/tokens", reader, json={"user_id": "ada"}).body["scopes"] == ["read"]
    refused = send("POST", "/v1/tokens", reader, json={"user_id": "ada", "scopes": ["turns"]})
    assert (refused.status, refused.body["detail"]) == (403, "scopes: your key has no scope turns.")


def test_pages_behave_the_same_without_keys(send: Send) -> None:
    created = send("POST", "/v1/tokens", json={"user_id": "ada"})
    assert created.status == 201
    ada = created.body["token"]
    assert send("POST", "/v1/turns", ada, json={"session_id": "s", "input": "hello"}).body["user_id"] == "ada"
    assert send("GET", "/v1/turns?user_id=bob", ada).status == 403
    assert send("GET", "/operator/status", ada).status == 403
    foreign = {"HTTP_ORIGIN": "https://other.example"}
    refused = send("POST", "/v1/turns", ada, json={"session_id": "s", "input": "x"}, environ_overrides=foreign)
    assert refused.status == 403, "anyone can make such a token, so it opens nothing to pages of other origins"


def test_a_token_without_keys_is_worth_nothing_with_keys(send: Send, client: Client) -> None:
    ada = send("POST", "/v1/tokens", json={"user_id": "ada"}).body["token"]
    ApiKeyStore(client).create_key("acme", [Scope.TURNS])
    assert send("GET", "/v1/turns", ada).status == 401
