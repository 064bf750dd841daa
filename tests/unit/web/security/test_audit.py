"""What is recorded of acts and of refused requests, with a store that can be away."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest
from flask import Flask, g

from turns.access.audit_log import Act, AuditLog, Outcome
from turns.domain.errors import Forbidden, StoreUnavailable, Unauthenticated
from web.security.audit import EXTENSION, SAMPLE_SECONDS, RefusalAudit, audit, audit_disclosure
from web.security.auth import WRONG_KEY, Caller

KEY = "inturn_0123456789ab_" + "s" * 43


class Entries:
    """An audit log in memory."""

    def __init__(self) -> None:
        self.acts: list[tuple[Outcome, Act]] = []
        self.is_away = False

    def append(self, act: Act, *, outcome: Outcome = Outcome.DONE) -> None:
        if self.is_away:
            raise StoreUnavailable("away")
        self.acts.append((outcome, act))


@pytest.fixture
def entries() -> Entries:
    return Entries()


@pytest.fixture
def app(entries: Entries) -> Flask:
    app = Flask("test")
    app.extensions[EXTENSION] = cast(AuditLog, entries)
    app.add_url_rule("/operator/turns/<turn_id>/cancel", "cancel", str, methods=["POST"])
    return app


@contextmanager
def request(
    app: Flask, *, key_id: str = "k1", path: str = "/operator/turns/turn_1/cancel", **more: Any
) -> Iterator[None]:
    with app.test_request_context(path, method="POST", **more):
        g.request_id = "r1"
        g.caller = Caller("ops", frozenset({"observer"}), key_id)
        yield


def test_an_act_names_caller_request_and_target(app: Flask, entries: Entries) -> None:
    with request(app):
        audit("cancel", "turn_1", tenant="acme", reason="stuck", count=2)
    act = Act(
        action="cancel",
        what="turn_1",
        key_id="k1",
        tenant="ops",
        target_tenant="acme",
        request_id="r1",
        reason="stuck",
        details={"count": 2},
    )
    assert entries.acts == [(Outcome.DONE, act)]


def test_an_act_stays_done_if_it_cannot_be_recorded(app: Flask, entries: Entries) -> None:
    entries.is_away = True
    with request(app):
        audit("cancel", "turn_1")
    assert entries.acts == []


def test_no_text_is_disclosed_without_an_entry(app: Flask, entries: Entries) -> None:
    entries.is_away = True
    with request(app), pytest.raises(StoreUnavailable):
        audit_disclosure("read_text", "turn_1")


def test_a_refused_act_is_recorded_once_a_minute_for_each_key(app: Flask, entries: Entries) -> None:
    seconds = 0.0
    refusals = RefusalAudit(clock=lambda: seconds)
    for key_id in ("k1", "k1", "k2", "k1"):
        with request(app, key_id=key_id):
            refusals.record(Forbidden())
    seconds = SAMPLE_SECONDS
    with request(app):
        refusals.record(Forbidden())
    assert [(act.key_id, act.details) for _, act in entries.acts] == [("k1", {}), ("k2", {}), ("k1", {"skipped": 2})]
    assert {(outcome, act.what) for outcome, act in entries.acts} == {
        (Outcome.REFUSED, "POST /operator/turns/{turn_id}/cancel")
    }


def test_a_wrong_key_is_recorded_by_its_id_without_its_secret(app: Flask, entries: Entries) -> None:
    refusals = RefusalAudit(clock=lambda: 0.0)
    for _ in range(2):
        with request(app, headers={"Authorization": f"Bearer {KEY}"}):
            refusals.record(Unauthenticated(WRONG_KEY))
    [(outcome, act)] = entries.acts
    assert (outcome, act.action, act.key_id, act.tenant) == (Outcome.REFUSED, "wrong_key", "0123456789ab", None)
    assert "sss" not in repr(act)


@pytest.mark.parametrize(("path", "error"), [("/v1/turns", Forbidden()), ("/operator/status", Unauthenticated())])
def test_other_refusals_are_not_recorded(app: Flask, entries: Entries, path: str, error: Any) -> None:
    with request(app, path=path):
        RefusalAudit(clock=lambda: 0.0).record(error)
    assert entries.acts == []


def test_a_refusal_stays_one_if_it_cannot_be_recorded(app: Flask, entries: Entries) -> None:
    entries.is_away = True
    with request(app):
        RefusalAudit(clock=lambda: 0.0).record(Forbidden())
    assert entries.acts == []
