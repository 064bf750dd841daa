"""The audit log on a real server."""

import pytest

from tests.support.server import Server
from turns.access import audit_log
from turns.access.audit_log import RETENTION_SECONDS, Act, AuditFilter, AuditLog, Outcome
from turns.backend import keys
from turns.backend.client import Client

ANY = AuditFilter()


@pytest.fixture
def log(client: Client) -> AuditLog:
    return AuditLog(client)


def acts(log: AuditLog, wanted: AuditFilter = ANY, outcome: Outcome = Outcome.DONE) -> list[str]:
    return [entry.what for entry in log.read(wanted, outcome=outcome, limit=100).entries]


def test_an_act_is_read_as_it_was_recorded(log: AuditLog) -> None:
    act = Act(
        action="cancel",
        what="turn_1",
        key_id="k1",
        tenant="ops",
        target_tenant="acme",
        request_id="r1",
        reason="stuck",
        details={"count": 3},
    )
    log.append(act)
    log.append(Act(action="pause", what="intake"))
    bare, full = log.read(ANY, limit=2).entries
    assert {name: getattr(full, name) for name in Act.__dataclass_fields__} == {
        name: getattr(act, name) for name in Act.__dataclass_fields__
    }
    assert (bare.key_id, bare.tenant, bare.target_tenant, bare.request_id, bare.reason) == (None, None, None, None, "")
    assert full.at <= bare.at


def test_entries_are_found_by_key_tenant_action_object_and_time(log: AuditLog) -> None:
    log.append(Act(action="cancel", what="turn_1", key_id="k1", tenant="ops", target_tenant="acme"))
    log.append(Act(action="pause", what="intake", key_id="k2", tenant="acme"))
    pause, cancel = log.read(ANY, limit=2).entries
    assert acts(log, AuditFilter(key_id="k1")) == ["turn_1"]
    assert acts(log, AuditFilter(tenant="acme")) == ["intake", "turn_1"]
    assert acts(log, AuditFilter(tenant="ops")) == ["turn_1"]
    assert acts(log, AuditFilter(action="pause")) == ["intake"]
    assert acts(log, AuditFilter(what="turn_")) == ["turn_1"]
    assert acts(log, AuditFilter(until=cancel.at - 1)) == []
    assert acts(log, AuditFilter(since=pause.at + 1)) == []


def test_pages_contain_each_entry_once_and_end(log: AuditLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_log, "CHUNK", 3)
    monkeypatch.setattr(audit_log, "READ_LIMIT", 5)
    for n in range(13):
        log.append(Act(action="even" if n % 2 == 0 else "odd", what=str(n)))
    found, after, pages = [], None, 0
    while pages == 0 or after:
        page = log.read(AuditFilter(action="even"), after=after, limit=2)
        found += [entry.what for entry in page.entries]
        after, pages = page.after, pages + 1
    assert found == ["12", "10", "8", "6", "4", "2", "0"]


@pytest.mark.parametrize("after", ["0-0", "00-0", "0-00"])
def test_no_entry_precedes_the_smallest_cursor(log: AuditLog, after: str) -> None:
    log.append(Act(action="pause", what="intake"))
    assert log.read(ANY, after=after, limit=2).entries == ()


def test_no_entry_is_older_than_1970(log: AuditLog) -> None:
    log.append(Act(action="pause", what="intake"))
    assert acts(log, AuditFilter(until=-1)) == []
    assert acts(log, AuditFilter(since=-1)) == ["intake"]


def test_refusals_do_not_push_out_acts(log: AuditLog) -> None:
    log.append(Act(action="pause", what="intake"))
    log.append(Act(action="wrong_key", what="GET /v1/turns"), outcome=Outcome.REFUSED)
    assert acts(log) == ["intake"]
    assert acts(log, outcome=Outcome.REFUSED) == ["GET /v1/turns"]


def test_the_log_is_bounded_in_number_and_time(log: AuditLog, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(audit_log.STREAMS, Outcome.DONE, (keys.AUDIT.name, 200))
    for n in range(700):
        log.append(Act(action="pause", what=str(n)))
    assert 200 <= server.raw.xlen(keys.AUDIT.name) < 400
    assert 0 < server.raw.ttl(keys.AUDIT.name) <= RETENTION_SECONDS
    later = audit_log._now_ms() + (RETENTION_SECONDS + 60) * 1000
    monkeypatch.setattr(audit_log, "_now_ms", lambda: later)
    assert acts(log) == []
