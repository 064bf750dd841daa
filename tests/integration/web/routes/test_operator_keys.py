"""The endpoints of API keys, in an app on a real server."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.support.server import Server
from turns.access.api_key import Scope
from turns.access.api_keys import ApiKeyStore
from turns.access.audit_log import AuditFilter, AuditLog
from turns.access.key_uses import KeyUses
from turns.assistants.registry import AssistantRegistry
from turns.backend.client import Client
from turns.config.settings import Settings
from turns.store.turns import TurnStore
from web.app import create_app
from web.routes.operator import keys as routes
from web.security import auth

Send = Callable[..., "Answer"]
NEW = {"tenant": "acme", "scopes": ["turns"], "label": "shop", "lifetime_seconds": 3600}


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any


@pytest.fixture
def app(settings: Settings, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """Return an app whose store is the embedded one of a data directory; it caches no keys."""
    monkeypatch.setattr(auth, "KEY_CACHE_SECONDS", 0)
    monkeypatch.setattr(routes, "KEY_CACHE_SECONDS", 0)
    os.symlink(server.socket, tmp_path / "store.sock")
    embedded = settings.model_copy(update={"redis_url": "", "data_dir": tmp_path})
    assert embedded.uses_embedded_store
    return create_app(embedded, AssistantRegistry(embedded))


@pytest.fixture
def admin(client: Client) -> str:
    return ApiKeyStore(client).create_key("ops", [Scope.ADMIN, Scope.OPERATOR])[0]


@pytest.fixture
def send(app: Flask, admin: str) -> Send:
    """Return a function that sends a request with the key of the administrator, or another one."""

    def send(method: str, path: str, *, api_key: str = admin, **options: Any) -> Answer:
        response = app.test_client().open(
            path, method=method, headers={"Authorization": f"Bearer {api_key}"}, **options
        )
        return Answer(response.status_code, response.get_json())

    return send


def create(send: Send, **changes: Any) -> dict[str, Any]:
    response = send("POST", "/operator/keys", json={**NEW, **changes})
    assert response.status == 201, response.body
    created: dict[str, Any] = response.body
    return created


def listed(send: Send) -> dict[str, dict[str, Any]]:
    return {key["id"]: key for key in send("GET", "/operator/keys?limit=100").body["data"]}


def test_a_new_key_works_and_is_shown_once(send: Send, admin: str, client: Client) -> None:
    key = create(send)
    assert send("GET", "/v1/turns", api_key=key["api_key"]).status == 200
    text = key.pop("api_key")
    found = listed(send)[key["id"]]
    assert found == key
    assert (found["label"], found["state"], found["scopes"]) == ("shop", "active", ["turns"])
    assert (found["created_by"], found["expires_at"] > found["created_at"]) == (admin.split("_")[1], True)
    [entry] = AuditLog(client).read(AuditFilter(action="create_key"), limit=10).entries
    assert (entry.what, entry.target_tenant, entry.tenant) == (key["id"], "acme", "ops")
    assert text.split("_", 2)[2] not in str(entry) + str(listed(send))


def test_a_repeated_request_creates_no_second_key(send: Send) -> None:
    create(send, id="0123456789ab")
    again = send("POST", "/operator/keys", json={**NEW, "id": "0123456789ab"})
    assert (again.status, again.body["code"]) == (409, "key_exists")
    assert "api_key" not in again.body
    assert len(listed(send)) == 2


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"tenant": "a b"}, "tenant"),
        ({"tenant": ".."}, "tenant"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["root"]}, "scopes.0"),
        ({"label": "a\x1b[2J"}, "label"),
        ({"lifetime_seconds": 0}, "lifetime_seconds"),
        ({"id": "abc"}, "id"),
        ({"secret": "x"}, "secret"),
    ],
)
def test_a_wrong_field_creates_nothing(send: Send, change: dict[str, Any], field: str) -> None:
    refused = send("POST", "/operator/keys", json={**NEW, **change})
    assert (refused.status, refused.body["errors"][0]["field"]) == (400, field)
    assert len(listed(send)) == 1


def test_a_rotated_key_and_its_successor_work(send: Send) -> None:
    old = create(send)
    new = send("POST", f"/operator/keys/{old['id']}/rotate", json={"overlap_seconds": 60}).body
    for key in (old, new):
        assert send("GET", "/v1/turns", api_key=key["api_key"]).status == 200
    assert (new["tenant"], new["label"], new["replaces"]) == ("acme", "shop", old["id"])
    at_once = send("POST", f"/operator/keys/{new['id']}/rotate", json={"overlap_seconds": 0}).body
    assert send("GET", "/v1/turns", api_key=new["api_key"]).status == 401
    assert send("GET", "/v1/turns", api_key=at_once["api_key"]).status == 200
    assert listed(send)[new["id"]]["replaced_by"] == at_once["id"]
    repeated = {"overlap_seconds": 0, "id": at_once["id"]}
    exists = send("POST", f"/operator/keys/{new['id']}/rotate", json=repeated)
    assert (exists.status, exists.body["code"]) == (409, "key_exists")
    ended = send("POST", f"/operator/keys/{new['id']}/rotate", json={})
    assert (ended.status, ended.body["code"]) == (409, "key_not_active")


def test_a_revoked_key_stays_listed(send: Send, admin: str) -> None:
    key = create(send)
    for _ in range(2):
        revoked = send("POST", f"/operator/keys/{key['id']}/revoke?reason=leaked").body
        assert (revoked["key"]["state"], revoked["cancelled"], revoked["has_more"]) == ("revoked", 0, False)
    assert send("GET", "/v1/turns", api_key=key["api_key"]).status == 401
    found = listed(send)[key["id"]]
    assert (found["state"], found["revoked_by"]) == ("revoked", admin.split("_")[1])
    unknown = send("POST", "/operator/keys/ffffffffffff/revoke")
    assert (unknown.status, unknown.body["code"]) == (404, "key_not_found")


def test_a_revocation_cancels_what_the_key_has_queued(send: Send, store: TurnStore) -> None:
    keys = [create(send, label=label) for label in ("leaked", "other")]
    turns = []
    for key in keys:
        accepted = send("POST", "/v1/turns", api_key=key["api_key"], json={"session_id": key["id"], "input": "hello"})
        turns.append(accepted.body["id"])
    revoked = send("POST", f"/operator/keys/{keys[0]['id']}/revoke?cancel=true").body
    assert (revoked["cancelled"], revoked["has_more"]) == (1, False)
    assert [store.get_turn(turn_id, tenant="acme").status for turn_id in turns] == ["cancelled", "queued"]
    timeline = send("GET", f"/operator/turns/{turns[1]}").body
    assert timeline["key_id"] == keys[1]["id"]
    entries = send("GET", f"/operator/audit?what={keys[0]['id']}&action=revoke_key").body["data"]
    assert [entry["details"] for entry in entries] == [{"cancelled": 1}]


def test_the_last_key_of_an_administrator_needs_consent(send: Send, admin: str, client: Client) -> None:
    path = f"/operator/keys/{admin.split('_')[1]}/revoke"
    refused = send("POST", path)
    assert (refused.status, refused.body["code"]) == (409, "last_key")
    assert "scope admin" in refused.body["detail"]
    create(send, scopes=["admin"])
    assert "scope operator" in send("POST", path).body["detail"]
    assert send("POST", f"{path}?even_last=true").status == 200
    assert send("GET", "/operator/keys").status == 401
    text, _ = ApiKeyStore(client).create_key("ops", [Scope.ADMIN])  # as `make key` does
    assert send("GET", "/operator/keys", api_key=text).status == 200


@pytest.mark.parametrize("scope", [scope for scope in Scope if scope is not Scope.ADMIN])
def test_only_an_administrator_sees_and_changes_keys(send: Send, client: Client, scope: Scope) -> None:
    text, key = ApiKeyStore(client).create_key("ops", [scope])
    for method, path in (
        ("GET", "/operator/keys"),
        ("POST", "/operator/keys"),
        ("POST", f"/operator/keys/{key.id}/rotate"),
        ("POST", f"/operator/keys/{key.id}/revoke"),
    ):
        refused = send(method, path, api_key=text, json=NEW if method == "POST" else None)
        assert (refused.status, refused.body["code"]) == (403, "forbidden")
    assert len(listed(send)) == 2


def test_an_administrator_reads_as_an_observer_does(send: Send) -> None:
    key = create(send, scopes=["admin"])["api_key"]
    for path, status in (("stats.json", 200), ("audit", 200), ("pause/intake", 403)):
        method = "POST" if status == 403 else "GET"
        assert send(method, f"/operator/{path}", api_key=key).status == status
    stats = send("GET", "/operator/stats.json", api_key=key).body
    assert (stats["may_act"], stats["may_manage_keys"]) == (False, True)


@pytest.mark.parametrize("query", ["until=1969-12-31T00:00:00Z", "after=00-0"])
def test_the_audit_log_has_nothing_before_its_start(send: Send, query: str) -> None:
    create(send)
    assert len(send("GET", "/operator/audit").body["data"]) == 1
    found = send("GET", f"/operator/audit?{query}")
    assert (found.status, found.body["data"]) == (200, [])


def test_the_first_key_is_not_created_over_http(app: Flask, client: Client) -> None:
    browser = app.test_client()
    assert browser.get("/operator/keys").get_json()["data"] == []
    refused = browser.post("/operator/keys", json=NEW)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "forbidden")
    assert "Create the first one on its machine" in refused.get_json()["detail"]
    assert not ApiKeyStore(client).has_keys()


def test_the_data_directory_remembers_what_happened(send: Send, tmp_path: Path) -> None:
    kept, revoked = create(send), create(send)
    successor = send("POST", f"/operator/keys/{kept['id']}/rotate", json={"overlap_seconds": 60}).body
    send("POST", f"/operator/keys/{revoked['id']}/revoke")
    rotated, ended = (tmp_path / "api-keys").read_text().splitlines()
    assert ended == revoked["id"]
    key_id, _, ends_at = rotated.partition(" ")
    assert (key_id, 0 < int(ends_at) - time.time() * 1000 <= 60_000) == (kept["id"], True)
    assert successor["id"] not in rotated


def test_a_data_directory_that_cannot_be_written_hides_no_key(send: Send, tmp_path: Path) -> None:
    (tmp_path / "api-keys").mkdir()
    assert send("POST", f"/operator/keys/{create(send)['id']}/revoke").status == 200


def test_the_last_use_of_a_key_is_listed(send: Send, admin: str, app: Flask) -> None:
    key_id = admin.split("_")[1]
    assert listed(send)[key_id]["last_used_at"] is None
    [uses] = [part for part in app.extensions["background"] if isinstance(part, KeyUses)]
    uses.flush()
    assert listed(send)[key_id]["last_used_at"] > listed(send)[key_id]["created_at"]
