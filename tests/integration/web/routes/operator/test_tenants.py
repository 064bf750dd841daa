"""Tests of the endpoints for tenants and their limits, without processes."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask, g
from flask.testing import FlaskClient

from tests.integration.conftest import answer_to
from tests.support.server import Server
from turns.access.audit_log import AuditLog
from turns.backend import keys
from turns.backend.client import Client
from turns.config.settings import Settings
from turns.domain.run.claim import Claim
from turns.domain.run.spending import Spending, Usage
from turns.domain.turn import Turn
from turns.pauses.part import ServicePart
from turns.pauses.pauses import Pauses
from turns.store.turns import TurnStore
from turns.tenants.tenants import Tenants
from turns.usage.store import UsageStore
from web.http import problems
from web.routes.operator.tenants import build_operator_tenants
from web.security.auth import Caller

PATH = "/operator/tenants"


@pytest.fixture
def http(client: Client, settings: Settings) -> FlaskClient:
    """Return the client of an app with these endpoints alone, whose caller has a key."""
    app = Flask("test")

    @app.before_request
    def authenticate() -> None:
        g.request_id, g.caller = "request", Caller("-", frozenset(), "key-1")

    app.register_blueprint(
        build_operator_tenants(Tenants(client, settings), Pauses(client, settings), UsageStore(client, settings))
    )
    problems.register(app)
    app.extensions["audit_log"] = AuditLog(client)
    return app.test_client()


def get(http: FlaskClient, path: str = "") -> Any:
    return http.get(PATH + path).json


def put(http: FlaskClient, body: Any, tenant: str = "acme") -> Any:
    return http.put(f"{PATH}/{tenant}", json=body)


def test_limits_are_set_read_and_removed(http: FlaskClient, server: Server) -> None:
    body = {"concurrency": 5, "turns_per_minute": 60, "until": "2100-01-01T00:00:00+01:00", "reason": "flood"}
    for _ in range(2):
        answer = put(http, body)
        assert answer.status_code == 200
    assert get(http, "/acme")["own_limits"] == answer.json["own_limits"]
    assert answer.json["limits"] == {
        "concurrency": 5,
        "backlog": 10_000,
        "turns_per_minute": 60,
        "tokens_per_day": 0,
    }
    own = answer.json["own_limits"]
    assert (own["until"], own["reason"], own["set_by"]) == ("2099-12-31T23:00:00.000Z", "flood", "key-1")
    assert (own["backlog"], own["tokens_per_day"]) == (None, None)
    assert [tenant["tenant"] for tenant in get(http)["data"]] == ["acme"]
    for _ in range(2):
        removed: Any = http.delete(f"{PATH}/acme?reason=over").json
        assert (removed["own_limits"], removed["limits"]["concurrency"]) == (None, 0)
    acts = server.raw.xrange(keys.AUDIT.name)
    assert [fields[b"action"] for _, fields in acts] == [b"set_limits"] * 2 + [b"remove_limits"] * 2
    assert {(fields[b"key_id"], fields[b"target_tenant"]) for _, fields in acts} == {(b"key-1", b"acme")}
    assert json.loads(acts[0][1][b"details"])["concurrency"] == 5


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"concurrency": -1}, "concurrency: "),
        ({"concurrency": "5"}, "concurrency: "),
        ({"concurrency": True}, "concurrency: "),
        ({"backlog": 0}, "backlog: "),
        ({"turns_per_minute": 1.5}, "turns_per_minute: "),
        ({"tokens_per_day": 10**10}, "tokens_per_day: "),
        ({"concurency": 5}, "concurency: is not known; did you mean concurrency?"),
        ({"concurrency": 5, "reason": "x" * 201}, "reason: "),
        ({"concurrency": 5, "until": "2100-01-01"}, "until: must be a time with its offset from UTC"),
        ({"concurrency": 5, "until": "9999-12-31T23:00:00-23:00"}, "until: must be a time with its offset from UTC"),
        ({"concurrency": 5, "until": 4_102_444_800}, "until: must be a time with its offset from UTC"),
        ({"concurrency": 5, "until": "2020-01-01T00:00:00Z"}, "until: must be in the future"),
        ({"concurrency": None}, "body: must have at least one of concurrency, "),
        ([], "body: must be a JSON object"),
    ],
)
def test_a_wrong_limit_names_field_and_rule(http: FlaskClient, server: Server, body: Any, field: str) -> None:
    put(http, {"concurrency": 3})
    before = server.raw.hgetall(keys.TENANT("acme"))
    answer = put(http, body)
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_request")
    assert field in answer.json["detail"]
    assert server.raw.hgetall(keys.TENANT("acme")) == before


@pytest.mark.parametrize("name", ["a b", "..", "x" * 129, "a:b"])
def test_a_wrong_tenant_is_refused(http: FlaskClient, server: Server, name: str) -> None:
    answers: list[Any] = [
        put(http, {"concurrency": 3}, name),
        *(do(f"{PATH}/{name}") for do in (http.get, http.delete)),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json["code"]) == (400, "invalid_request")
        assert answer.json["detail"].startswith("tenant: ")
    assert server.raw.keys("*") == []


def test_tenants_are_sorted_and_cut(http: FlaskClient, accept: Callable[..., Turn], server: Server) -> None:
    first = accept(tenant="first", session_id="s")
    server.raw.zadd(keys.WAITING.name, {first.id: 1})
    for n in range(2):
        accept(tenant="most", session_id=f"s{n}")
    for query, names in (("", ["most", "first"]), ("?sort=waiting", ["first", "most"]), ("?limit=1", ["most"])):
        answer = get(http, query)
        assert [tenant["tenant"] for tenant in answer["data"]] == names
        assert (answer["found"], answer["are_all"]) == (2, True)
    assert get(http, "?sort=name")["detail"].startswith("sort: ")


def test_a_paused_tenant_shows_its_pause(http: FlaskClient, client: Client, settings: Settings) -> None:
    put(http, {"concurrency": 3})
    put(http, {"concurrency": 3}, "other")
    Pauses(client, settings).pause(ServicePart.parse("tenant", "acme"), reason="flood")
    assert get(http, "/acme")["pause"]["reason"] == "flood"
    pauses = {tenant["tenant"]: tenant["pause"] for tenant in get(http)["data"]}
    assert (pauses["acme"]["kind"], pauses["other"]) == ("tenant", None)


def test_tokens_of_today_are_those_of_ended_runs(
    http: FlaskClient, accept: Callable[..., Turn], claim: Callable[[Turn], Claim], store: TurnStore
) -> None:
    put(http, {"tokens_per_day": 10_000})
    run = claim(accept(tenant="acme"))
    usage = Usage(input_tokens=30, output_tokens=20, total_tokens=50)
    store.commit(run, replace(answer_to(run), usage=usage), tail="", spending=Spending(usage=usage))
    tenant = get(http, "/acme")
    assert (tenant["tokens_today"], tenant["counted_tokens"]) == (50, 50)
    assert get(http, "/other")["tokens_today"] == 0
