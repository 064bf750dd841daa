"""Tests of the records of processes, of deaths, and of the identity of a store."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.conftest import send_heartbeat
from tests.support.server import Server
from turns.backend import keys
from turns.backend.client import Client
from turns.backend.script_loader import NO_WORKER_MS
from turns.backend.script_replies import StoreIdentity
from turns.config.settings import Settings
from turns.domain.errors import WorkerNotFound
from turns.domain.turn import Turn
from turns.domain.wait_reason import Reason
from turns.domain.worker_kind import WorkerKind
from turns.operations.actions import OperatorActions
from turns.operations.queries import OperatorQueries
from turns.operations.timeline import read_timeline
from turns.processes.listing import read_gaps, read_processes
from turns.store.turns import TurnStore

Report = Callable[..., StoreIdentity]
Rows = Callable[[], list[tuple[str, str]]]


@pytest.fixture
def report(store: TurnStore) -> Report:
    def report(name: str, kind: str = "loop", *, needs_keys: bool = False, **fields: str) -> StoreIdentity:
        return store.report_process(name, kind=kind, proposed_id=name, needs_keys=needs_keys, fields=fields)

    return report


@pytest.fixture
def rows(client: Client, settings: Settings) -> Rows:
    """Return a function that lists the workers as name and state."""
    queries = OperatorQueries(client, settings)
    return lambda: [(worker.name, worker.state) for worker in queries.read_processes()[0]]


def test_a_process_is_listed_with_what_it_reports(report: Report, client: Client) -> None:
    report("w", version="1", host="alpha", slots="200", memory_bytes="")
    report("h:1:a:web", "web", version="2")
    report("w", version="1", host="alpha", slots="200", memory_bytes="7", is_draining="1")
    worker, web = read_processes(client)
    assert (worker.kind, worker.version, worker.host, worker.slots) == (WorkerKind.LOOP, "1", "alpha", 200)
    assert (worker.memory_bytes, worker.is_draining) == (7, True)
    assert worker.started_at
    assert worker.started_at <= worker.seen_at
    assert (web.kind, web.version, web.slots) == ("web", "2", None)


def test_a_worker_that_leaves_is_listed_as_ended(report: Report, store: TurnStore, server: Server, rows: Rows) -> None:
    report("w")
    send_heartbeat(server)
    assert rows() == [("w", "running")]
    for _ in range(2):  # the second time, as if the reply had been lost
        store.remove_worker("w")
    report("w")  # was on the way
    assert rows() == [("w", "ended")]
    assert store.read_metrics().counters["deaths"] == {("loop",): 0, ("chains",): 0}


def test_a_worker_without_heartbeats_is_silent_and_counts_once(
    report: Report, store: TurnStore, server: Server, rows: Rows
) -> None:
    report("w")
    store.rescue(worker="w", hint="", slots=5)
    server.raw.zadd(keys.WORKERS.name, {"w": 1000 * (server.raw.time()[0] - 60)})
    for _ in range(2):
        store.rescue(worker="other", hint="", slots=5)
    assert rows() == [("other", "running"), ("w", "silent")]
    assert store.read_metrics().counters["deaths"] == {("loop",): 1, ("chains",): 0}


def test_a_drain_request_is_repeatable_and_needs_a_known_worker(
    report: Report, store: TurnStore, server: Server, client: Client, rows: Rows
) -> None:
    actions = OperatorActions(client, store)
    report("w")
    send_heartbeat(server)
    for _ in range(2):
        actions.drain_worker("w")
    assert rows() == [("w", "draining")]
    store.remove_worker("w")
    actions.drain_worker("w")
    with pytest.raises(WorkerNotFound):
        actions.drain_worker("unknown")


def test_a_time_without_a_worker_is_a_wait_of_the_turns_in_it(
    report: Report, accept: Callable[..., Turn], server: Server, client: Client
) -> None:
    report("w")
    turn = accept()
    long_ago = turn.accepted_at - NO_WORKER_MS - 1000
    server.raw.hset(keys.SERVICE.name, "loop_seen_at", long_ago)
    [present] = read_timeline(client, turn.id).waits
    assert (present.reason, present.since, present.until) == (Reason.NO_WORKER, turn.accepted_at, None)
    report("w:chains", "chains")
    assert read_timeline(client, turn.id).waits[0].until is None, "a worker of another kind"
    report("w")
    [past] = read_timeline(client, turn.id).waits
    assert (past.reason, past.since) == (Reason.NO_WORKER, turn.accepted_at)
    assert past.until
    [gap] = read_gaps(client, WorkerKind.LOOP, now_ms=past.until)
    assert (gap.since, gap.until) == (long_ago, past.until)
    later = accept(session_id="later")
    assert read_timeline(client, later.id).waits == ()


def test_an_emptied_store_gets_another_id_and_stays_closed(report: Report, server: Server) -> None:
    before = report("w")
    assert report("v") == before
    server.raw.hset(keys.SERVICE.name, "locked", 1)
    assert report("w").needs_keys
    server.raw.flushall()
    after: Any = report("v", needs_keys=True)
    assert after.id != before.id
    assert after.needs_keys
    assert server.raw.hexists(keys.SERVICE.name, "locked")
