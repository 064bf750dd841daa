"""Each route with each kind of API key: the tenant's, another tenant's, an invalid one, none, and other scopes."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.processes import HttpResponse, Stack, call, turn_request
from tests.support.waiting import wait_until

WITHOUT_KEY = ("/livez", "/readyz")
UNKNOWN_TURN = "turn_" + "f" * 32


@dataclass(frozen=True)
class Keys:
    turns: str
    reader: str
    other: str
    operator: str
    observer: str


@pytest.fixture(scope="module")
def keys(stack: Stack) -> Keys:
    keys = Keys(
        turns=stack.create_api_key("acme"),
        reader=stack.create_api_key("acme", "--scopes", "read"),
        other=stack.create_api_key("other"),
        operator=stack.create_api_key("acme", "--scopes", "operator"),
        observer=stack.create_api_key("acme", "--scopes", "observer"),
    )
    wait_until("API keys are required", lambda: call(f"{stack.url}/v1/turns").status == 401)
    return keys


def request(stack: Stack, method: str, path: str, api_key: str, body: Any = None) -> HttpResponse:
    accept = {"Accept": "text/event-stream"} if path.endswith("/events") else {}
    return call(f"{stack.url}{path}", method=method, body=body, headers=accept, api_key=api_key)


def request_status(stack: Stack, method: str, path: str, api_key: str) -> int:
    """Return the status of a response that is not necessarily JSON."""
    headers = {"Authorization": f"Bearer {api_key}"}
    try:
        with urllib.request.urlopen(urllib.request.Request(f"{stack.url}{path}", method=method, headers=headers)) as ok:
            return int(ok.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.fixture(scope="module")
def failed_turn(stack: Stack, keys: Keys) -> str:
    """Return a failed turn of the tenant acme, which every route accepts."""
    turn = request(stack, "POST", "/v1/turns", keys.turns, turn_request("s", "hello [fail 400]")).body
    link = turn["links"]["self"]
    wait_until("the turn has failed", lambda: request(stack, "GET", link, keys.turns).body["status"] == "failed")
    turn_id: str = turn["id"]
    return turn_id


ROUTES = [
    ("POST", "/v1/turns"),
    ("POST", "/v1/turns/batch"),
    ("GET", "/v1/turns"),
    ("GET", "/v1/turns/{turn}"),
    ("GET", "/v1/tasks/{turn}"),
    ("GET", "/v1/turns/{turn}/events?after=9-9"),
    ("POST", "/v1/turns/{turn}/cancel"),
    ("POST", "/v1/turns/{turn}/retry"),
    ("GET", "/v1/sessions"),
    ("GET", "/v1/sessions/s"),
    ("GET", "/v1/sessions/s/messages"),
    ("GET", "/v1/sessions/s/unanswered"),
    ("POST", "/v1/sessions/s/fork"),
    ("GET", "/v1/sessions/s/events?until=idle"),
    ("GET", "/v1/events?limit=100"),
    ("PUT", "/v1/sessions/imported/messages"),
    ("DELETE", "/v1/sessions/unused"),
    ("GET", "/v1/assistants"),
]
TURN_ROUTES = [route for route in ROUTES if "{turn}" in route[1]]
WRITING_ROUTES = [route for route in ROUTES if route[0] != "GET"]
BODIES = {
    "/v1/turns": turn_request("own", "hello"),
    "/v1/turns/batch": {"turns": [turn_request("own", "hello")]},
    "/v1/sessions/imported/messages": {"messages": [{"role": "user", "content": "hello"}]},
}


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_missing_or_invalid_key_is_refused(stack: Stack, keys: Keys, method: str, path: str) -> None:
    wrong = keys.turns[:-1] + ("a" if keys.turns[-1] != "a" else "b")
    for authorization in (None, f"Bearer {wrong}", "Bearer", f"Basic {keys.turns}", keys.turns):
        headers = {"Authorization": authorization} if authorization else {}
        response = call(f"{stack.url}{path.format(turn=UNKNOWN_TURN)}", method=method, headers=headers)
        assert (response.status, response.body["code"]) == (401, "unauthenticated")
        assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_tenant_has_access_to_its_own_resources(
    stack: Stack, keys: Keys, failed_turn: str, method: str, path: str
) -> None:
    response = request(stack, method, path.format(turn=failed_turn), keys.turns, BODIES.get(path))
    assert response.status in {200, 201, 202, 204}, response


@pytest.mark.parametrize(("method", "path"), TURN_ROUTES)
def test_a_turn_of_another_tenant_looks_unknown(
    stack: Stack, keys: Keys, failed_turn: str, method: str, path: str
) -> None:
    foreign = request(stack, method, path.format(turn=failed_turn), keys.other)
    unknown = request(stack, method, path.format(turn=UNKNOWN_TURN), keys.other)
    malformed = request(stack, method, path.format(turn="turn_nonsense"), keys.other)
    assert (foreign.status, foreign.body["code"]) == (404, "turn_not_found")
    for response in (foreign, unknown, malformed):
        for varying in ("request_id", "instance"):
            del response.body[varying]
    assert foreign.body == unknown.body == malformed.body


def test_sessions_of_another_tenant_are_invisible(stack: Stack, keys: Keys, failed_turn: str) -> None:
    assert request(stack, "GET", "/v1/sessions/s", keys.other).status == 404
    assert request(stack, "GET", "/v1/sessions/s/messages", keys.other).status == 404
    assert request(stack, "GET", "/v1/sessions/s/events", keys.other).status == 404
    assert request(stack, "DELETE", "/v1/sessions/s", keys.other).status == 204, "there was nothing to erase"
    assert request(stack, "GET", f"/v1/turns/{failed_turn}", keys.turns).status == 200
    for path in ("/v1/turns", "/v1/sessions", "/v1/turns?session_id=s", "/v1/events?limit=100"):
        assert request(stack, "GET", path, keys.other).body["data"] == []


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_key_allows_only_what_its_scope_grants(
    stack: Stack, keys: Keys, failed_turn: str, method: str, path: str
) -> None:
    as_reader = request(stack, method, path.format(turn=failed_turn), keys.reader, BODIES.get(path))
    assert (as_reader.status == 403) == ((method, path) in WRITING_ROUTES)
    for api_key in (keys.operator, keys.observer):
        response = request(stack, method, path.format(turn=failed_turn), api_key, BODIES.get(path))
        assert (response.status, response.body["code"]) == (403, "forbidden")


OBSERVER_ROUTES = [
    ("GET", "/operator/status"),
    ("GET", "/operator/failed"),
    ("GET", "/operator/jobs"),
    ("GET", "/operator/preview?act=cancel"),
    ("GET", "/operator/stats.json"),
    ("GET", "/operator/turns"),
    ("GET", "/operator/turns/{turn}"),
    ("GET", "/operator/session?tenant=acme&session_id=s"),
    ("GET", "/operator/audit"),
    ("GET", "/metrics"),
]
OPERATOR_ROUTES = [
    ("GET", "/operator/turns/{turn}/text"),  # the message text of another caller
    ("DELETE", "/operator/pauses/intake"),
    ("DELETE", "/operator/pauses/tenant/acme"),
]
SINGLE_USE_ROUTES = [
    ("POST", "/operator/failed/{turn}/retry"),
    ("PUT", "/operator/jobs/some-job"),
    ("POST", "/operator/jobs/some-job/stop"),
    ("POST", "/operator/workers/w/rescue"),
    ("POST", "/operator/workers/w/drain"),
    ("PUT", "/operator/pauses/tenant/acme"),
]


@pytest.mark.parametrize(("method", "path"), [*OBSERVER_ROUTES, *OPERATOR_ROUTES, *SINGLE_USE_ROUTES])
def test_operator_routes_need_an_operator_key(
    stack: Stack, keys: Keys, failed_turn: str, method: str, path: str
) -> None:
    is_single_use, path = (method, path) in SINGLE_USE_ROUTES, path.format(turn=failed_turn)
    assert call(f"{stack.url}{path}", method=method).status == 401
    for api_key in (keys.turns, keys.reader, keys.other):
        assert request(stack, method, path, api_key).status == 403
    if not is_single_use:  # `test_operator.py` tests the effect of these
        assert request_status(stack, method, path, keys.operator) == 200


@pytest.mark.parametrize(("method", "path"), [*OBSERVER_ROUTES, *OPERATOR_ROUTES, *SINGLE_USE_ROUTES])
def test_an_observer_can_only_read(stack: Stack, keys: Keys, failed_turn: str, method: str, path: str) -> None:
    expected = 200 if (method, path) in OBSERVER_ROUTES else 403
    assert request_status(stack, method, path.format(turn=failed_turn), keys.observer) == expected


def test_the_statistics_report_whether_the_key_may_act(stack: Stack, keys: Keys) -> None:
    stats = [request(stack, "GET", "/operator/stats.json", key).body for key in (keys.operator, keys.observer)]
    assert [each["may_act"] for each in stats] == [True, False]


def test_the_audit_log_names_the_key(stack: Stack, keys: Keys) -> None:
    assert request(stack, "DELETE", "/operator/pauses/workers", keys.operator).status == 200
    key_id = keys.operator.split("_")[1]
    lines = [line for line in stack.logs().splitlines() if '"operator.acted"' in line and '"workers"' in line]
    assert [json.loads(line)["key_id"] for line in lines] == [key_id]
    path = f"/operator/audit?action=resume&what=workers&key_id={key_id}"
    [entry] = request(stack, "GET", path, keys.observer).body["data"]
    assert (entry["tenant"], entry["request_id"] in lines[0]) == ("acme", True)


def test_a_turn_names_its_key_in_timeline_and_logs(stack: Stack, keys: Keys, failed_turn: str) -> None:
    key_id = keys.turns.split("_")[1]
    assert request(stack, "GET", f"/operator/turns/{failed_turn}", keys.observer).body["key_id"] == key_id
    lines = [json.loads(line) for line in stack.logs().splitlines() if f'"turn_id": "{failed_turn}"' in line]
    of_key = {line["event"] for line in lines if (line.get("key_id"), line.get("tenant")) == (key_id, "acme")}
    assert of_key >= {"turn.accepted", "turn.claimed", "turn.failed"}


def test_the_audit_log_has_what_was_refused(stack: Stack, keys: Keys) -> None:
    refused = request(stack, "POST", "/operator/workers/w/drain", keys.reader)
    wrong = call(f"{stack.url}/v1/turns", headers={"Authorization": f"Bearer {keys.reader[:-2]}xx"})
    assert (refused.status, wrong.status) == (403, 401)
    entries = request(stack, "GET", "/operator/audit?outcome=refused&limit=100", keys.observer).body["data"]
    key_id = keys.reader.split("_")[1]
    found = {(entry["action"], entry["what"], entry["key_id"], entry["tenant"]) for entry in entries}
    assert ("forbidden", "POST /operator/workers/{worker}/drain", key_id, "acme") in found
    assert "wrong_key" in {entry["action"] for entry in entries}
    assert keys.reader.split("_", 2)[2][:-2] not in str(entries)


@pytest.mark.parametrize("path", WITHOUT_KEY)
def test_health_checks_need_no_key(stack: Stack, keys: Keys, path: str) -> None:
    assert call(f"{stack.url}{path}").status == 200


def test_a_revoked_key_is_soon_refused(stack: Stack, keys: Keys) -> None:
    api_key = stack.create_api_key("acme")
    wait_until("the key works", lambda: request(stack, "GET", "/v1/turns", api_key).status == 200)
    stack.revoke_api_key(api_key)
    wait_until("the key is refused", lambda: request(stack, "GET", "/v1/turns", api_key).status == 401)


def test_a_stream_ends_after_its_key_is_revoked(stack: Stack, keys: Keys) -> None:
    api_key = stack.create_api_key("acme")
    wait_until("the key works", lambda: request(stack, "GET", "/v1/turns", api_key).status == 200)
    body = turn_request("revoked", "hello [words 200] [pace 0.1]")
    turn_id = request(stack, "POST", "/v1/turns", api_key, body).body["id"]
    headers = {"Authorization": f"Bearer {api_key}"}
    stream_request = urllib.request.Request(f"{stack.url}/v1/turns/{turn_id}/events", headers=headers)
    with urllib.request.urlopen(stream_request, timeout=30) as stream:
        stream.readline()
        stack.revoke_api_key(api_key)
        assert b"event: done" not in stream.read()


def test_no_log_line_contains_a_key(stack: Stack, keys: Keys) -> None:
    for api_key in (keys.turns, keys.reader, keys.other, keys.operator, keys.observer):
        assert api_key.split("_", 2)[2] not in stack.logs()
