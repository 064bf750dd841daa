"""Reads and acts of operators over 24 partitions."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from tests.integration.conftest import answer_to
from tests.integration.turns.store.partitioned.conftest import SESSIONS, Accept
from tests.support.cluster.nodes import ClusterNodes
from tests.support.waiting import wait_until
from turns.assistants.registry import AssistantRegistry
from turns.backend import keys
from turns.backend.client import Client
from turns.config.settings import Placement, Settings
from turns.domain.error_codes import Code
from turns.domain.errors import InvalidRequest
from turns.domain.ids import new_turn_id, partition_of
from turns.domain.run.claim import Claim
from turns.domain.run.retry import Hold, HoldReason, Retry
from turns.domain.run.spending import Spending, Usage
from turns.domain.state import Status
from turns.domain.turn import Turn
from turns.domain.turn_filter import TurnFilter
from turns.domain.turn_request import TurnRequest
from turns.domain.wait_reason import Reason
from turns.ended_turns.feed import EndedTurns
from turns.jobs.executor import JobExecutor
from turns.jobs.failed_turns import FailedTurns
from turns.jobs.job import BulkAct, Job, JobSpec
from turns.jobs.job_store import JobStore
from turns.jobs.runner import JobRunner
from turns.jobs.selection import Selector
from turns.operations.actions import OperatorActions
from turns.operations.queries import OperatorQueries
from turns.pauses.part import INTAKE, WORKERS
from turns.pauses.pauses import Pauses
from turns.search.search import Search
from turns.search.turn_search import TurnQuery, search_turns
from turns.store.partitioned.sessions import PartitionedSessionStore
from turns.store.partitioned.turns import PartitionedTurnStore
from turns.tenants.limits import OwnLimits
from turns.tenants.tenants import Tenants
from turns.usage.report import UsageQuery
from turns.usage.store import UsageStore
from turns.users.erasures import UserErasures

MAX_STEPS = 20  # that the job of a test needs at most
SPENT = Spending(usage=Usage(input_tokens=10, output_tokens=2, total_tokens=12))


@pytest.fixture
def queries(client: Client, settings: Settings) -> OperatorQueries:
    return OperatorQueries(client, settings)


@pytest.fixture
def failed(client: Client, settings: Settings, store: PartitionedTurnStore) -> FailedTurns:
    return FailedTurns(client, store, AssistantRegistry(settings).find)


def fail_all(store: PartitionedTurnStore, claims: Sequence[Claim]) -> None:
    for claim in claims:
        store.fail(claim, Code.CONTENT_FILTERED)


def test_metrics_add_up_the_partitions(store: PartitionedTurnStore, claims: list[Claim], accept: Accept) -> None:
    for claim in claims[:20]:
        store.commit(claim, answer_to(claim), tail="")
    accept("waiting")
    metrics = store.read_metrics()
    assert metrics.counters["accepted"] == {("interactive",): SESSIONS + 1}
    assert metrics.counters["ended"][(Status.COMPLETED, "")] == 20
    assert metrics.histograms["duration"].buckets[-1][1] == 20
    assert metrics.gauges["live_turns"] == SESSIONS - 20 + 1
    assert metrics.gauges["running_turns"] == SESSIONS - 20
    assert metrics.gauges["waiting_turns"] == 1
    assert metrics.gauges["store_takes_writes"] == 1


def test_health_counts_the_turns_of_all_partitions(store: PartitionedTurnStore, turns: list[Turn]) -> None:
    assert store.read_health().live_turns == len(turns)


def test_live_turns_of_all_partitions_are_listed(queries: OperatorQueries, turns: list[Turn]) -> None:
    live = queries.read_live_turns()
    assert live.is_complete
    assert {turn.id for turn in live.turns} == {turn.id for turn in turns}
    assert [turn.accepted_at for turn in live.turns] == sorted(turn.accepted_at for turn in turns)


def test_one_turn_and_one_session_are_read_where_they_are(
    queries: OperatorQueries, turns: list[Turn], accept: Accept
) -> None:
    for turn in turns[:10]:
        assert queries.read_timeline(turn.id).turn.session_id == turn.session_id
        assert [one.id for one in queries.read_session_queue(turn.session).turns] == [turn.id]


def test_failed_turns_are_listed_counted_and_retried(
    store: PartitionedTurnStore, failed: FailedTurns, claims: list[Claim]
) -> None:
    fail_all(store, claims)
    page = failed.list_failed(limit=25)
    rest = failed.list_failed(after=page.after, limit=99)
    assert {turn.id for turn in (*page.turns, *rest.turns)} == {claim.turn_id for claim in claims}
    assert failed.count_failed() == {Code.CONTENT_FILTERED: SESSIONS}
    accepted = failed.retry_failed(failed.find_failed(claims[0].turn_id))
    assert partition_of(accepted.turn.id) == partition_of(claims[0].turn_id)
    assert failed.count_failed() == {Code.CONTENT_FILTERED: SESSIONS - 1}


class Jobs:
    """Jobs whose steps this process does at once."""

    def __init__(self, client: Client, store: PartitionedTurnStore, failed: FailedTurns) -> None:
        self.store, self._ended = JobStore(client, Settings()), list[Job]()
        self._home = client.home
        acts = JobExecutor(self.store, store, failed)
        selector, end = Selector(client), self._ended.append
        self._runner = JobRunner(self.store, selector, acts, on_begin=lambda _: None, on_end=end)

    def run(self, job_id: str, spec: JobSpec) -> Job:
        self.store.create_job(job_id, spec)
        return self.finish(job_id)

    def finish(self, job_id: str) -> Job:
        for _ in range(MAX_STEPS):
            self._home.zadd(keys.JOBS_DUE.name, {job_id: 0}, xx=True)  # without waiting for its next step
            self._runner.step()
        [job] = [job for job in self._ended if job.id == job_id]
        return job


@pytest.fixture
def jobs(client: Client, store: PartitionedTurnStore, failed: FailedTurns) -> Jobs:
    return Jobs(client, store, failed)


@pytest.mark.parametrize("act", [BulkAct.RETRY, BulkAct.CANCEL])
def test_a_job_reaches_the_turns_of_all_partitions(
    store: PartitionedTurnStore, jobs: Jobs, claims: list[Claim], act: BulkAct
) -> None:
    if act is BulkAct.RETRY:
        fail_all(store, claims)
    assert jobs.run("job-0001", JobSpec(act=act)).progress.done == SESSIONS


def test_failed_turns_are_discarded_and_restored(
    store: PartitionedTurnStore, failed: FailedTurns, jobs: Jobs, claims: list[Claim]
) -> None:
    fail_all(store, claims)
    before = failed.list_failed(limit=100).turns
    discarded = jobs.run("job-0001", JobSpec(act=BulkAct.DISCARD))
    assert (discarded.progress.done, failed.list_failed(limit=100).turns) == (SESSIONS, ())
    undo = jobs.store.create_undo(JobSpec(act=BulkAct.RESTORE, undo_of="job-0001"))
    assert jobs.finish(undo.id).progress.done == SESSIONS
    assert [turn.id for turn in failed.list_failed(limit=100).turns] == [turn.id for turn in before]


def test_a_process_that_has_lost_its_step_discards_nothing(
    client: Client, store: PartitionedTurnStore, failed: FailedTurns, jobs: Jobs, claims: list[Claim]
) -> None:
    fail_all(store, claims)
    jobs.store.create_job("job-0001", JobSpec(act=BulkAct.DISCARD))
    job = jobs.store.claim_job()
    assert isinstance(job, Job)
    client.home.hset(keys.JOB("job-0001"), "token", "another")
    assert jobs.store.discard(job, [f"-/{claim.turn_id}" for claim in claims]) == 0
    assert failed.count_failed() == {Code.CONTENT_FILTERED: SESSIONS}


def test_a_pause_holds_in_all_partitions_until_it_ends(
    client: Client, settings: Settings, store: PartitionedTurnStore, turns: list[Turn]
) -> None:
    pauses = Pauses(client, settings)
    pauses.pause(WORKERS, by="key", reason="test")
    assert [store.claim(turn.id, worker="w", model="m") for turn in turns] == [None] * SESSIONS
    [pause] = pauses.read()
    assert (pause.reason, pause.waiting_turns) == ("test", SESSIONS)
    assert store.read_metrics().held[Reason.WORKERS_PAUSED] == SESSIONS
    assert pauses.resume(WORKERS)
    assert not pauses.resume(INTAKE)


def test_a_hold_is_listed_once_and_lifted_everywhere(
    store: PartitionedTurnStore, queries: OperatorQueries, claims: list[Claim]
) -> None:
    decision = Retry(after_seconds=60, counts=False, hold=Hold(reason=HoldReason.RATE_LIMITED, seconds=60))
    for claim in claims:
        store.retry(claim, Code.PROVIDER_RATE_LIMITED, decision, model="m")
    [hold] = queries.read_holds()
    assert (hold.name, hold.held_turns) == ("m", SESSIONS)
    assert store.lift_hold("m")


def test_a_search_finds_turns_in_all_partitions(client: Client, settings: Settings, turns: list[Turn]) -> None:
    found, after = [], None
    while True:
        page = search_turns(client, TurnQuery(filter=TurnFilter(user_id="alice")), after=after, limit=11)
        found += [turn.id for turn in page.turns]
        if (after := page.after) is None:
            break
    assert sorted(found) == sorted(turn.id for turn in turns)
    [turn] = Search(client, settings).find(turns[7].id).findings
    assert turn.turns[0].id == turns[7].id
    [session] = Search(client, settings).find("s-3").findings
    assert session.turns[0].session_id == "s-3"


def test_a_request_leads_to_its_turn_in_any_partition(client: Client, accept: Accept) -> None:
    turn = accept("s", request_id="req-7")
    assert [one.id for one in search_turns(client, TurnQuery(request_id="req-7"), limit=5).turns] == [turn.id]


def test_usage_of_all_partitions_is_added_up(
    client: Client, settings: Settings, store: PartitionedTurnStore, claims: list[Claim]
) -> None:
    for claim in claims:
        store.commit(claim, answer_to(claim), tail="", spending=SPENT)
    today = datetime.now(UTC).date()
    usage = UsageStore(client, settings)
    usage.fold()
    report = usage.read(UsageQuery(first_day=today, last_day=today))
    assert sum(row.completed for row in report.rows) == SESSIONS
    assert sum(row.input_tokens for row in report.rows) == 10 * SESSIONS


def test_a_tenant_is_counted_over_all_partitions(client: Client, settings: Settings, claims: list[Claim]) -> None:
    [tenant] = Tenants(client, settings).list_tenants().tenants
    assert (tenant.activity.live_turns, tenant.activity.running_turns) == (SESSIONS, SESSIONS)
    with pytest.raises(InvalidRequest, match="INTURN_PLACEMENT=tenant"):
        Tenants(client, settings).set_limits("acme", OwnLimits(concurrency=1))


def test_limits_of_a_tenant_hold_if_it_is_in_one_partition(client: Client, settings: Settings) -> None:
    by_tenant = settings.model_copy(update={"placement": Placement.TENANT})
    client.partitions[0].hset(keys.SERVICE.name, "placement", Placement.TENANT)
    tenants, store = Tenants(client, by_tenant), PartitionedTurnStore(client, by_tenant)
    tenants.set_limits("acme", OwnLimits(concurrency=1))
    own = tenants.get_tenant("acme").own
    assert own
    assert own.concurrency == 1
    turns = [store.accept(TurnRequest(session_id=f"s-{n}", input="x", tenant="acme")).turn for n in range(3)]
    assert [group.waiting for group in OperatorQueries(client, by_tenant).read_facts(lost_turns=0).crowded] == [2]
    assert {turn.session_id for turn in turns} == {"s-0", "s-1", "s-2"}


def test_the_turns_of_a_session_are_cancelled_by_an_operator(
    client: Client, store: PartitionedTurnStore, accept: Accept
) -> None:
    turns = [accept("s"), accept("s")]
    assert OperatorActions(client, store).cancel_session("s") == 2
    assert {store.get_turn(turn.id).status for turn in turns} == {Status.CANCELLED}


def test_the_facts_of_the_service_are_read(queries: OperatorQueries, claims: list[Claim]) -> None:
    facts = queries.read_facts(lost_turns=0)
    assert facts.health.live_turns == SESSIONS
    assert queries.read_series(15)[-1].live_turns == SESSIONS
    assert new_turn_id() not in {turn.id for turn in queries.read_live_turns().turns}


def test_the_ended_turns_of_a_tenant_come_from_all_partitions(
    client: Client, settings: Settings, store: PartitionedTurnStore, claims: list[Claim]
) -> None:
    for claim in claims:
        store.commit(claim, answer_to(claim), tail="")
    feed = EndedTurns(client, settings)
    last = store.get_turn(claims[-1].turn_id).finished_at or 0
    wait_until("the millisecond of the last end is over", lambda: feed.now(tenant="-") >= last)
    found: list[str] = []
    page = feed.read(tenant="-", after=None, limit=7)
    while page.turns:
        found += [turn.id for turn in page.turns]
        page = feed.read(tenant="-", after=page.after, limit=7)
    assert sorted(found) == sorted(claim.turn_id for claim in claims)


def test_a_user_is_erased_in_all_partitions(
    client: Client, settings: Settings, store: PartitionedTurnStore, claims: list[Claim], cluster: ClusterNodes
) -> None:
    for claim in claims:
        store.commit(claim, answer_to(claim), tail="", spending=SPENT)
    sessions = PartitionedSessionStore(client, settings)
    erasures = UserErasures(client, sessions, store, UsageStore(client, settings))
    receipt = erasures.erase("alice", seconds=60)
    assert receipt.is_complete
    assert (receipt.sessions, receipt.turns) == (SESSIONS, SESSIONS)
    assert store.list_turns(limit=5).turns == ()
    assert [erasure.user_id for erasure in erasures.list_tombstones()] == ["alice"]
    named = {name.decode() for name in cluster.raw.keys("*alice*")}
    assert named == {client.stored_name(keys.ERASED_USER("-/alice"))}, "only the tombstone at home names the user"
