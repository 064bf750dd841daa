"""One of three primaries is away, with a third of the partitions, but not with the home partition."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from supervisor.doctor.cluster_checks import check_cluster
from supervisor.doctor.finding import Verdict
from tests.support.cluster.nodes import ClusterNodes
from tests.support.waiting import wait_until
from turns.access.api_keys import ApiKeyStore
from turns.assistants.registry import AssistantRegistry
from turns.backend import keys
from turns.backend.client import Client
from turns.backend.opening import connect
from turns.backend.partition.missing import collect_missing, missing_partitions
from turns.backend.partition.placement import Partitions
from turns.backend.partition.tags import hash_tags, slot_of
from turns.config.settings import Settings
from turns.coordination.hold_sharing import HoldSharing
from turns.domain.error_codes import Code
from turns.domain.errors import StoreUnavailable, StoreUnsafe
from turns.domain.ids import DEFAULT_TENANT
from turns.domain.run.retry import Hold, HoldReason, Retry
from turns.domain.turn import Turn
from turns.domain.turn_request import TurnRequest
from turns.jobs.executor import JobExecutor
from turns.jobs.failed_turns import FailedTurns
from turns.jobs.job import BulkAct, JobSpec
from turns.jobs.job_store import JobStore
from turns.jobs.runner import JobRunner
from turns.jobs.selection import Selector
from turns.operations.queries import OperatorQueries
from turns.operations.verdict import evaluate
from turns.pauses.part import WORKERS
from turns.pauses.pauses import Pauses
from turns.pauses.sharing import PauseSharing
from turns.search.turn_search import TurnQuery, search_turns
from turns.store.health import Readiness, read_health
from turns.store.partitioned.sessions import PartitionedSessionStore
from turns.store.partitioned.turns import PartitionedTurnStore, PartlyEmitted
from turns.usage.report import UsageQuery
from turns.usage.store import UsageStore
from turns.users.erasures import UserErasures

AWAY = range(16, 24)
LIMITED = Retry(after_seconds=60, counts=False, hold=Hold(reason=HoldReason.RATE_LIMITED, seconds=60))


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[ClusterNodes]:
    cluster = ClusterNodes(tmp_path, primaries=3, durable=True)  # two of them still decide
    cluster.start()
    yield cluster
    cluster.stop()


def test_the_rest_is_served_and_what_is_away_is_counted(cluster: ClusterNodes) -> None:
    settings = Settings(redis_url=cluster.url)
    with connect(settings.store_url, timeout_seconds=3, retries=0, max_connections=30) as client:
        store, queries = PartitionedTurnStore(client, settings), OperatorQueries(client, settings)
        requests = [TurnRequest(session_id=f"s-{n}", user_id="alice", input="hello") for n in range(60)]
        turns = [store.accept(request).turn for request in requests]
        assert store.read_health().partitions_away == 0
        cluster.nodes[2].kill()
        here = [turn for turn in turns if not _is_away(turn)]

        running = store.claim(here[0].id, worker="w", model="m")
        assert running
        gone = next(turn for turn in turns if _is_away(turn))
        lost = replace(running, turn_id=gone.id)
        for _ in range(2):  # the second time without asking the partition that is away
            with pytest.raises(PartlyEmitted) as error:
                store.emit([running.delta(1, "hello"), lost.delta(1, "hello")])
            assert error.value.unsent == {gone.id}
        assert [event.text for event in store.read_events(here[0].id, after="0-0")].count("hello") == 1
        assert all(store.claim(turn.id, worker="w", model="m") for turn in here[1:])
        with pytest.raises(StoreUnavailable):
            store.get_turn(gone.id)
        health = store.read_health()
        assert (health.partitions_away, health.live_turns, health.readiness) == (len(AWAY), len(here), Readiness.OK)
        assert store.read_metrics().gauges["store_partitions_away"] == len(AWAY)
        assert {turn.id for turn in queries.read_live_turns().turns} == {turn.id for turn in here}
        assert "store_partly_away" in {finding.code for finding in evaluate(queries.read_facts(lost_turns=0))}
        _check_lists(client, settings, store, here)
        Pauses(client, settings).pause(WORKERS)
        sharing = HoldSharing(client, settings, store.hold_news)
        store.retry(running, Code.PROVIDER_RATE_LIMITED, LIMITED, model="m")
        sharing.share()
        assert {n for n, one in enumerate(client.partitions) if n not in AWAY and one.exists(keys.HOLD("m"))} == {
            *range(AWAY.start)
        }
        _check_return(cluster, store, turns)
        sharing.share()
        assert all(one.exists(keys.HOLD("m")) for one in client.partitions)
        assert store.lift_hold("m")
        _check_pause(client, settings, store, gone)
        _check_refusal(cluster, store)


def _check_pause(client: Client, settings: Settings, store: PartitionedTurnStore, gone: Turn) -> None:
    """Check that a pause reaches the partitions that were away when it was set."""
    PauseSharing(client, settings).share_pending()
    assert client.home.exists(keys.PAUSES_PENDING.name) == 0
    assert store.claim(gone.id, worker="w", model="m") is None
    assert Pauses(client, settings).resume(WORKERS)
    assert store.claim(gone.id, worker="w", model="m")


def _check_lists(client: Client, settings: Settings, store: PartitionedTurnStore, here: list[Turn]) -> None:
    """Check that lists have the rest, name what is missing, and that an erasure does not take them for complete."""
    sessions, users = PartitionedSessionStore(client, settings), {turn.session for turn in here}
    collect_missing()
    assert {turn.id for turn in store.list_turns(limit=100).turns} == {turn.id for turn in here}
    assert missing_partitions() == tuple(AWAY)
    assert len(sessions.list_sessions(after=None, limit=100).sessions) == sessions.count_sessions() == len(here)
    assert set(sessions.list_user_names("alice", limit=100)) == users
    search = search_turns(client, TurnQuery(), limit=100)
    assert {turn.id for turn in search.turns} == {turn.id for turn in here}
    jobs = JobStore(client, settings)
    acts = JobExecutor(jobs, store, FailedTurns(client, store, AssistantRegistry(settings).find))
    jobs.create_job("job-0001", JobSpec(act=BulkAct.CANCEL))
    JobRunner(jobs, Selector(client), acts, on_begin=lambda _: None, on_end=lambda _: None).step()
    progress = jobs.get_job("job-0001").progress
    assert (progress.total, progress.missing_partitions) == (len(here), tuple(AWAY))
    usage = UsageStore(client, settings)
    today = datetime.now(UTC).date()
    usage.read(UsageQuery(first_day=today, last_day=today, tenant=DEFAULT_TENANT))
    erasures = UserErasures(client, sessions, store, usage)
    with pytest.raises(StoreUnavailable):
        erasures.erase("bob", seconds=10)
    assert ApiKeyStore(client).has_keys() is False


def _check_refusal(cluster: ClusterNodes, store: PartitionedTurnStore) -> None:
    """Check that a node without memory does not take the whole service out of a load balancer."""
    cluster.nodes[1].raw.config_set("maxmemory", 1)
    health = store.read_health()
    assert "maxmemory" in health.refusal
    assert (health.refuses_partly, health.readiness) == (True, Readiness.OK)
    assert store.read_metrics().gauges["store_takes_writes"] == 0
    cluster.nodes[0].raw.config_set("maxmemory", 1)  # with the home partition
    assert store.read_health().readiness is Readiness.REFUSING


def _check_return(cluster: ClusterNodes, store: PartitionedTurnStore, turns: list[Turn]) -> None:
    """Check that a cursor from before stays right when the partitions return."""
    collect_missing()
    first = store.list_turns(limit=7)
    cluster.nodes[2].start()
    wait_until("the partitions are back", lambda: not _read_missing(store), seconds=30)
    found, after = [*first.turns], first.after
    while after:
        page = store.list_turns(limit=7, after=after)
        found, after = [*found, *page.turns], page.after
    newest_first = sorted(turns, key=lambda turn: (turn.accepted_at, turn.id), reverse=True)
    end = [turn.id for turn in newest_first].index(first.turns[-1].id)
    assert [turn.id for turn in found] == [
        turn.id for place, turn in enumerate(newest_first) if place > end or not _is_away(turn)
    ]


def _read_missing(store: PartitionedTurnStore) -> tuple[int, ...]:
    collect_missing()
    store.list_turns(limit=1)
    return missing_partitions()


def _is_away(turn: Turn) -> bool:
    return Partitions(24).of_turn(turn.id) in AWAY


def test_the_health_is_that_of_the_worst_node(cluster: ClusterNodes) -> None:
    settings = Settings(redis_url=cluster.url)
    with connect(settings.store_url, timeout_seconds=3, retries=0, max_connections=30) as client:
        assert read_health(client, settings).durability == "always"
        one, another = cluster.nodes[1:]
        one.raw.config_set("appendfsync", "everysec")
        one.raw.config_set("maxmemory-policy", "allkeys-lru")
        another.raw.config_set("maxmemory", 1_000_000_000)
        another.raw.config_set("appendonly", "no")
        health = read_health(client, settings)
        assert health.durability == "none"
        assert health.memory.limit_bytes == 1_000_000_000
        assert (health.is_safe, health.is_partly_safe, health.readiness) == (False, True, Readiness.OK)
        queries = OperatorQueries(client, settings)
        assert "Not all turns can be submitted: a part of the store may delete turns." in {
            finding.headline for finding in evaluate(queries.read_facts(lost_turns=0))
        }
        accepted, refused = _accept_each(PartitionedTurnStore(client, settings))
        assert accepted
        assert refused == [n for n, tag in enumerate(hash_tags(24)) if cluster.owner(slot_of(f"{{{tag}}}")) is one]

        cluster.nodes[0].raw.config_set("maxmemory-policy", "allkeys-lru")
        assert read_health(client, settings).readiness is Readiness.UNSAFE


def _accept_each(store: PartitionedTurnStore) -> tuple[list[int], list[int]]:
    """Offer turns for all partitions; return the partitions that have taken one, and those that have refused it."""
    accepted, refused = set(), set()
    for n in range(200):
        try:
            store.accept(TurnRequest(session_id=f"s-{n}", input="hello"))
            accepted.add(Partitions(24).of_session(f"s-{n}"))
        except StoreUnsafe:
            refused.add(Partitions(24).of_session(f"s-{n}"))
    return sorted(accepted), sorted(refused)


def test_the_doctor_names_what_is_away_and_what_would_be(cluster: ClusterNodes) -> None:
    settings = Settings(redis_url=cluster.url)
    with connect(settings.store_url, timeout_seconds=3, retries=0, max_connections=30) as client:
        found = {finding.subject: finding for finding in check_cluster(client)}
        assert found["partitions"].verdict is Verdict.OK
        assert found["replicas"].observed == "24 partitions are on a primary without one"
        assert "coverage" not in found
        cluster.nodes[0].raw.config_set("cluster-require-full-coverage", "yes")
        cluster.nodes[2].kill()
        found = {finding.subject: finding for finding in check_cluster(client)}
        assert found["partitions"].observed == "8 of 24 do not answer: 16, 17, 18, 19, 20, 21, 22, 23"
        assert found["partitions"].verdict is Verdict.WRONG
        assert found["coverage"].verdict is Verdict.NOTE
