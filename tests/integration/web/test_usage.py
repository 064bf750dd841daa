"""The reports of tokens and cost over HTTP, as JSON and CSV."""

import csv
import io
import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, g
from flask.testing import FlaskClient

from tests.integration.conftest import answer_to
from turns.backend.client import Client
from turns.config.settings import Settings
from turns.domain.run.claim import Claim
from turns.domain.run.spending import Spending, Usage
from turns.domain.turn import Turn
from turns.store.turns import TurnStore
from turns.usage.store import UsageStore
from web.http import problems
from web.routes import usage as usage_routes
from web.routes.operator.usage import build_operator_usage
from web.routes.usage import build_usage
from web.security.auth import ANONYMOUS

SPENT = Spending(usage=Usage(input_tokens=100, output_tokens=20, total_tokens=120), cost_nano=1_500_000, currency="USD")
UNPRICED = Spending(usage=SPENT.usage)


@pytest.fixture
def api(client: Client, settings: Settings) -> FlaskClient:
    """Return a client of an app with only these routes, for the tenant of requests without a key."""
    app, usage = Flask("usage"), UsageStore(client, settings)
    app.before_request(lambda: vars(g).update(caller=ANONYMOUS, request_id="r"))
    app.register_blueprint(build_usage(usage))
    app.register_blueprint(build_operator_usage(usage))
    problems.register(app)
    return app.test_client()


@pytest.fixture
def complete(store: TurnStore, accept: Callable[..., Turn], claim: Callable[[Turn], Claim]) -> Callable[..., None]:
    def complete(user_id: str, *, tenant: str = "-", spending: Spending = SPENT) -> None:
        claimed = claim(accept(user_id=user_id, tenant=tenant))
        store.commit(claimed, answer_to(claimed), tail="", spending=spending)

    return complete


def read(api: FlaskClient, path: str) -> Any:
    answer = api.get(path)
    assert answer.status_code == 200
    return answer.json


def test_a_tenant_sees_its_own_usage(api: FlaskClient, complete: Callable[..., None]) -> None:
    complete("alice")
    complete("alice", spending=UNPRICED)
    complete("mallory", tenant="other")
    report = read(api, "/v1/usage?by=user,model")
    [row] = report["data"]
    assert (row["user_id"], row["model"], row["tenant"]) == ("alice", "m", None)
    assert (row["turns"], row["completed"], row["input_tokens"], row["output_tokens"]) == (2, 2, 200, 40)
    assert (row["cost"], row["unpriced_tokens"]) == ({"USD": "0.0015"}, 120)
    assert (report["by"], report["has_more"], report["total"]["turns"]) == (["user", "model"], False, 2)


def test_an_operator_sees_all_tenants(api: FlaskClient, complete: Callable[..., None]) -> None:
    complete("alice")
    complete("mallory", tenant="other")
    complete("mallory", tenant="other")
    rows = read(api, "/operator/usage?by=tenant")["data"]
    assert [(row["tenant"], row["turns"]) for row in rows] == [("other", 2), ("-", 1)]
    assert read(api, "/operator/usage?tenant=other&user_id=mallory")["total"]["turns"] == 2


def test_rows_beyond_the_limit_are_in_the_total(api: FlaskClient, complete: Callable[..., None]) -> None:
    for n in range(3):
        complete(f"u{n}")
    report = read(api, "/v1/usage?by=user&limit=2")
    assert (len(report["data"]), report["has_more"], report["total"]["turns"]) == (2, True, 3)


@pytest.mark.parametrize(
    ("query", "kind"), [("&format=csv", None), ("&format=csv", "application/json"), ("", "text/csv")]
)
def test_a_report_can_be_csv(api: FlaskClient, complete: Callable[..., None], query: str, kind: str | None) -> None:
    complete("alice")
    answer = api.get(f"/v1/usage?by=user{query}", headers={"Accept": kind} if kind else {})
    assert answer.mimetype == "text/csv"
    [line] = csv.DictReader(io.StringIO(answer.text))
    assert (line["user_id"], line["turns"], line["input_tokens"], line["cost_USD"]) == ("alice", "1", "100", "0.0015")


def test_csv_is_written_beside_the_event_loop(
    api: FlaskClient, complete: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []
    monkeypatch.setattr(usage_routes, "format_nano", lambda _: threads.append(threading.get_ident()))
    complete("alice")
    api.get("/v1/usage?format=csv")
    assert len(threads) == 1
    assert threads[0] != threading.get_ident()


@pytest.mark.parametrize("user_id", ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://x")'])
def test_csv_has_no_formulas(api: FlaskClient, complete: Callable[..., None], user_id: str) -> None:
    complete(user_id)
    [line] = csv.DictReader(io.StringIO(api.get("/v1/usage?by=user&format=csv").text))
    assert line["user_id"] == f"'{user_id}"


def test_csv_has_no_formulas_after_a_semicolon(api: FlaskClient, complete: Callable[..., None]) -> None:
    complete("x;=1+1;y")
    header, line = api.get("/v1/usage?by=user&format=csv").text.splitlines()
    assert header.startswith('"user_id","is_rest","turns",')
    assert line.startswith('"x;\'=1+1;y","false",1,')


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("by=tenant", "by: "),
        ("by=user,", "by: "),
        ("since=yesterday", "since: "),
        ("since=2026-02-30", "since: "),
        ("since=2026-03-02&until=2026-03-01", "since: must not be after until"),
        ("since=2024-01-01&until=2026-03-01", "since: must be less than 400 days before until"),
        ("tenant=other", "tenant: is not known"),
        ("limit=0", "limit: "),
        ("format=xml", "format: must be 'json' or 'csv'"),
    ],
)
def test_a_wrong_query_is_refused(api: FlaskClient, query: str, detail: str) -> None:
    answer: Any = api.get(f"/v1/usage?{query}")
    assert answer.status_code == 400
    assert answer.json["detail"].startswith(detail)


def test_the_first_and_the_last_day_can_be_asked_for(api: FlaskClient) -> None:
    assert read(api, "/v1/usage?until=0001-01-01")["since"] == "0001-01-01"
    assert read(api, "/v1/usage?since=9999-12-31&until=9999-12-31")["data"] == []


def test_a_form_that_the_service_lacks_is_not_acceptable(api: FlaskClient) -> None:
    assert api.get("/v1/usage", headers={"Accept": "image/png"}).status_code == 406
