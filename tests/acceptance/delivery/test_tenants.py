"""Every route with every kind of caller: one's own, another's, unknown, malformed, no key, a key for something else."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.processes import HttpResponse, Stack, call, turn_request
from tests.support.waiting import wait_until
from tools import ROOT

OPEN = {"/livez", "/readyz"}
UNKNOWN_TURN = "turn_" + "f" * 32


def revoke(stack: Stack, api_key: str) -> None:
    command = [sys.executable, "-m", "turns", "keys", "revoke", api_key.split("_")[1]]
    subprocess.run(command, cwd=ROOT, env={**os.environ, **stack.environment}, check=True, capture_output=True)


@dataclass(frozen=True)
class Keys:
    turns: str
    reader: str
    other: str
    operator: str
    observer: str


def make_key(stack: Stack, tenant: str, *more: str) -> str:
    made = subprocess.run(
        [sys.executable, "-m", "turns", "keys", "create", tenant, *more],
        cwd=ROOT,
        env={**os.environ, **stack.environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return made.stdout.strip()


@pytest.fixture(scope="module")
def keys(stack: Stack) -> Keys:
    keys = Keys(
        turns=make_key(stack, "acme"),
        reader=make_key(stack, "acme", "--scopes", "read"),
        other=make_key(stack, "other"),
        operator=make_key(stack, "acme", "--scopes", "operator"),
        observer=make_key(stack, "acme", "--scopes", "observer"),
    )
    wait_until("the service asks for keys", lambda: call(f"{stack.url}/v1/turns").status == 401)
    return keys


def asked(stack: Stack, method: str, path: str, api_key: str | None, body: Any = None) -> HttpResponse:
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    accept = {"Accept": "text/event-stream"} if path.endswith("/events") else {}
    return call(f"{stack.url}{path}", method=method, body=body, headers={**headers, **accept})


@pytest.fixture(scope="module")
def ours(stack: Stack, keys: Keys) -> str:
    """A failed turn of acme, so that every route can be asked about it."""
    turn = asked(stack, "POST", "/v1/turns", keys.turns, turn_request("s", "hello [fail 400]")).body
    wait_until(
        "it has failed", lambda: asked(stack, "GET", turn["links"]["self"], keys.turns).body["status"] == "failed"
    )
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
    ("PUT", "/v1/sessions/imported/messages"),
    ("DELETE", "/v1/sessions/unused"),
    ("GET", "/v1/assistants"),
]
OF_A_TURN = [route for route in ROUTES if "{turn}" in route[1]]
WRITING = [route for route in ROUTES if route[0] != "GET"]
BODIES = {
    "/v1/turns": turn_request("own", "hello"),
    "/v1/turns/batch": {"turns": [turn_request("own", "hello")]},
    "/v1/sessions/imported/messages": {"messages": [{"role": "user", "content": "hello"}]},
}


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_without_a_key_or_with_a_wrong_one_there_is_nothing(stack: Stack, keys: Keys, method: str, path: str) -> None:
    wrong = keys.turns[:-1] + ("a" if keys.turns[-1] != "a" else "b")
    for authorization in (None, f"Bearer {wrong}", "Bearer", f"Basic {keys.turns}", keys.turns):
        headers = {"Authorization": authorization} if authorization else {}
        answer = call(f"{stack.url}{path.format(turn=UNKNOWN_TURN)}", method=method, headers=headers)
        assert (answer.status, answer.body["code"]) == (401, "unauthenticated")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_ones_own_is_there(stack: Stack, keys: Keys, ours: str, method: str, path: str) -> None:
    answer = asked(stack, method, path.format(turn=ours), keys.turns, BODIES.get(path))
    assert answer.status in {200, 201, 202, 204}, answer


@pytest.mark.parametrize(("method", "path"), OF_A_TURN)
def test_anothers_is_the_same_as_unknown(stack: Stack, keys: Keys, ours: str, method: str, path: str) -> None:
    of_ours = asked(stack, method, path.format(turn=ours), keys.other)
    unknown = asked(stack, method, path.format(turn=UNKNOWN_TURN), keys.other)
    malformed = asked(stack, method, path.format(turn="turn_nonsense"), keys.other)
    assert (of_ours.status, of_ours.body["code"]) == (404, "turn_not_found")
    for answer in (of_ours, unknown, malformed):
        for varying in ("request_id", "instance"):
            del answer.body[varying]
    assert of_ours.body == unknown.body == malformed.body


def test_another_tenants_sessions_are_not_there(stack: Stack, keys: Keys, ours: str) -> None:
    assert asked(stack, "GET", "/v1/sessions/s", keys.other).status == 404
    assert asked(stack, "GET", "/v1/sessions/s/messages", keys.other).status == 404
    assert asked(stack, "DELETE", "/v1/sessions/s", keys.other).status == 204, "of nothing, nothing is left"
    assert asked(stack, "GET", f"/v1/turns/{ours}", keys.turns).status == 200
    for path in ("/v1/turns", "/v1/sessions", "/v1/turns?session_id=s"):
        assert asked(stack, "GET", path, keys.other).body["data"] == []


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_key_allows_what_its_scope_says(stack: Stack, keys: Keys, ours: str, method: str, path: str) -> None:
    may_read = asked(stack, method, path.format(turn=ours), keys.reader, BODIES.get(path))
    assert (may_read.status == 403) == ((method, path) in WRITING)
    for other in (keys.operator, keys.observer):
        may_operate = asked(stack, method, path.format(turn=ours), other, BODIES.get(path))
        assert (may_operate.status, may_operate.body["code"]) == (403, "forbidden")


LOOKING = [
    ("GET", "/operator/status"),
    ("GET", "/operator/failed"),
    ("GET", "/operator/stats.json"),
    ("GET", "/operator/turns"),
    ("GET", "/operator/turns/{turn}"),
    ("GET", "/operator/session?tenant=acme&session_id=s"),
    ("GET", "/metrics"),
]
ACTING = [
    ("GET", "/operator/turns/{turn}/text"),  # the words of another
    ("POST", "/operator/pause/intake"),
    ("POST", "/operator/resume/intake"),
    ("POST", "/operator/failed/retry?code=worker_lost&count=0"),
    ("POST", "/operator/failed/discard?code=worker_lost&count=0"),
]
ACTING_ONCE = [
    ("POST", "/operator/failed/{turn}/retry"),
    ("POST", "/operator/failed/{turn}/discard"),
    ("POST", "/operator/workers/w/drain"),
]


@pytest.mark.parametrize(("method", "path"), [*LOOKING, *ACTING, *ACTING_ONCE])
def test_only_an_operator_operates(stack: Stack, keys: Keys, ours: str, method: str, path: str) -> None:
    acts_once, path = (method, path) in ACTING_ONCE, path.format(turn=ours)
    assert call(f"{stack.url}{path}", method=method).status == 401
    for api_key in (keys.turns, keys.reader, keys.other):
        assert asked(stack, method, path, api_key).status == 403
    if not acts_once:  # what these do is seen in `test_operator.py`
        assert status(stack, method, path, keys.operator) == 200


@pytest.mark.parametrize(("method", "path"), [*LOOKING, *ACTING, *ACTING_ONCE])
def test_an_observer_only_looks(stack: Stack, keys: Keys, ours: str, method: str, path: str) -> None:
    may_look = (method, path) in LOOKING
    assert status(stack, method, path.format(turn=ours), keys.observer) == (200 if may_look else 403)


def test_who_looks_is_told_whether_to_act(stack: Stack, keys: Keys) -> None:
    stats = [asked(stack, "GET", "/operator/stats.json", key).body for key in (keys.operator, keys.observer)]
    assert [each["may_act"] for each in stats] == [True, False]


def test_the_audit_trail_names_the_key(stack: Stack, keys: Keys) -> None:
    assert asked(stack, "POST", "/operator/resume/workers", keys.operator).status == 200
    key_id = keys.operator.split("_")[1]
    lines = [line for line in stack.logs().splitlines() if '"operator.acted"' in line and '"workers"' in line]
    assert [json.loads(line)["key_id"] for line in lines] == [key_id]


def status(stack: Stack, method: str, path: str, api_key: str) -> int:
    """Of an answer that may be no JSON."""
    headers = {"Authorization": f"Bearer {api_key}"}
    asking = urllib.request.Request(f"{stack.url}{path}", method=method, headers=headers)
    try:
        with urllib.request.urlopen(asking) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.parametrize("path", sorted(OPEN))
def test_whether_it_lives_can_be_asked_by_anybody(stack: Stack, keys: Keys, path: str) -> None:
    assert call(f"{stack.url}{path}").status == 200


def test_a_revoked_key_soon_works_no_more(stack: Stack, keys: Keys) -> None:
    api_key = make_key(stack, "acme")
    wait_until("it works", lambda: asked(stack, "GET", "/v1/turns", api_key).status == 200, seconds=5)
    revoke(stack, api_key)
    wait_until("it works no more", lambda: asked(stack, "GET", "/v1/turns", api_key).status == 401, seconds=5)


def test_a_revoked_keys_open_stream_ends(stack: Stack, keys: Keys) -> None:
    api_key = make_key(stack, "acme")
    wait_until("it works", lambda: asked(stack, "GET", "/v1/turns", api_key).status == 200, seconds=5)
    headers = {"Authorization": f"Bearer {api_key}"}
    asking = turn_request("revoked", "hello [words 200] [pace 0.1]")
    turn_id = call(f"{stack.url}/v1/turns", method="POST", body=asking, headers=headers).body["id"]
    watching = urllib.request.Request(f"{stack.url}/v1/turns/{turn_id}/events", headers=headers)
    with urllib.request.urlopen(watching, timeout=30) as stream:
        stream.readline()
        revoke(stack, api_key)
        assert b"event: done" not in stream.read()


def test_no_key_is_in_the_logs(stack: Stack, keys: Keys) -> None:
    for api_key in (keys.turns, keys.reader, keys.other, keys.operator, keys.observer):
        assert api_key.split("_", 2)[2] not in stack.logs()
