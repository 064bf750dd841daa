"""Tests of jobs on a real server: what they touch, their steps, and what survives the death of a process."""

import dataclasses
from collections.abc import Callable, Iterator

import pytest

from tests.support.leaks import leaked_keys
from tests.support.server import Server
from turns.assistants.registry import AssistantRegistry
from turns.backend import keys
from turns.backend.client import Client
from turns.backend.script_loader import JOB_LEASE_MS, MAX_JOBS, MAX_OPEN_JOBS
from turns.config.settings import Settings
from turns.domain.assistant import DEFAULT
from turns.domain.error_codes import Code
from turns.domain.errors import IdempotencyKeyReused, JobNotFound, TooManyJobs
from turns.domain.run.claim import Claim
from turns.domain.state import Status
from turns.domain.turn import Turn
from turns.domain.turn_filter import TurnFilter
from turns.jobs import runner
from turns.jobs.executor import JobExecutor
from turns.jobs.failed_turns import FailedTurns
from turns.jobs.job import BulkAct, Job, JobSpec, JobStatus, Progress
from turns.jobs.job_store import JobStore
from turns.jobs.runner import JobRunner
from turns.jobs.selection import Selector
from turns.pauses.part import INTAKE
from turns.pauses.pauses import Pauses
from turns.store.turns import TurnStore

Accept = Callable[..., Turn]
ClaimTurn = Callable[[Turn], Claim]
Fail = Callable[..., Turn]

RETRY = JobSpec(act=BulkAct.RETRY)
DISCARD = JobSpec(act=BulkAct.DISCARD)
CANCEL = JobSpec(act=BulkAct.CANCEL)
UNDO = JobSpec(act=BulkAct.RESTORE, undo_of="job")


class Bench:
    """The jobs of one store, and processes that carry them out."""

    def __init__(self, client: Client, store: TurnStore, settings: Settings, server: Server) -> None:
        self.client = client
        self.server = server
        self.store = store
        self.jobs = JobStore(client, settings)
        self.failed = FailedTurns(client, store, AssistantRegistry(settings).find)
        self.begun: list[str] = []
        self.ended: list[Job] = []
        self.runner = self.new_runner()

    def new_runner(self) -> JobRunner:
        """Return the runner of one more process."""
        acts = JobExecutor(self.jobs, self.store, self.failed)
        begin, end = (lambda job: self.begun.append(job.id)), self.ended.append
        return JobRunner(self.jobs, Selector(self.client), acts, on_begin=begin, on_end=end)

    def run(self, spec: JobSpec, job_id: str = "job", *, before: int | None = None) -> Job:
        """Create a job and carry it out."""
        self.jobs.create_job(job_id, spec, before=before)
        return self.finish(job_id)

    def finish(self, job_id: str = "job") -> Job:
        """Do all steps that remain, without waiting between them."""
        while not self.jobs.get_job(job_id).is_ended:
            self.step(job_id)
        return self.jobs.get_job(job_id)

    def step(self, job_id: str = "job") -> None:
        """Do the next step."""
        self.server.raw.zadd(keys.JOBS_DUE.name, {job_id: 1}, xx=True)
        self.runner.step()

    def progress(self) -> Progress:
        return self.jobs.get_job("job").progress

    def listed(self) -> set[str]:
        """Return the ids of the unresolved failed turns."""
        return {turn.id for turn in self.failed.list_failed(limit=100).turns}

    def retried(self, tenant: str = "-") -> list[str]:
        """Return the ids of the turns that were retried, one for each retry."""
        turns = self.store.list_turns(tenant=tenant, limit=1000).turns
        return [turn.retry_of for turn in turns if turn.retry_of]

    def now_ms(self) -> int:
        seconds, microseconds = self.server.raw.time()
        return int(seconds * 1000 + microseconds // 1000)


@pytest.fixture
def bench(client: Client, store: TurnStore, settings: Settings, server: Server) -> Iterator[Bench]:
    yield Bench(client, store, settings, server)
    assert leaked_keys(server.raw) == set()


@pytest.fixture
def fail(accept: Accept, claim: ClaimTurn, store: TurnStore) -> Fail:
    """Return a function that lets a turn fail, each in another session."""
    sessions = iter(range(1000))

    def fail(code: Code = Code.PROVIDER_ERROR, **more: object) -> Turn:
        turn = accept(session_id=f"failing{next(sessions)}", **more)
        store.fail(claim(turn), code)
        return turn

    return fail


def test_failed_turns_that_match_are_retried_once(fail: Fail, bench: Bench) -> None:
    mine = [fail(tenant="acme") for _ in range(3)]
    others = [fail(tenant="globex"), fail(Code.CHAIN_ERROR, tenant="acme")]
    spec = dataclasses.replace(RETRY, filter=TurnFilter(tenant="acme", code=Code.PROVIDER_ERROR))
    job = bench.run(spec)
    assert (job.status, job.progress.total, job.progress.done) == (JobStatus.COMPLETED, 3, 3)
    assert bench.listed() == {turn.id for turn in others}
    assert sorted(bench.retried("acme")) == [turn.id for turn in mine]
    assert bench.run(spec, "again").progress.total == 0
    ended = [(job.id, job.status, job.progress.done) for job in bench.ended]
    assert ended == [("job", JobStatus.COMPLETED, 3), ("again", JobStatus.COMPLETED, 0)]
    assert bench.begun == ["job", "again"]


def test_a_job_touches_no_turn_after_its_time(fail: Fail, bench: Bench) -> None:
    seen, later = fail(), fail()
    bench.server.raw.zadd(keys.FAILED.name, {f"-/{seen.id}": 1000})
    assert bench.run(DISCARD, before=1000).progress.done == 1
    assert bench.listed() == {later.id}


def test_poison_is_retried_only_if_asked(fail: Fail, bench: Bench) -> None:
    poison = fail(Code.WORKER_LOST)
    fail()
    progress = bench.run(RETRY).progress
    assert (progress.total, progress.done, progress.left_out) == (1, 1, 1)
    assert bench.listed() == {poison.id}
    progress = bench.run(dataclasses.replace(RETRY, includes_poison=True), "again").progress
    assert (progress.done, progress.left_out, bench.listed()) == (1, 0, set())


def test_a_discard_is_undone(fail: Fail, bench: Bench) -> None:
    first, expired, kept = [fail() for _ in range(3)]
    raw = bench.server.raw
    before = raw.zrange(keys.FAILED.name, 0, -1, withscores=True)
    job = bench.run(dataclasses.replace(DISCARD, turn_ids=(first.id, expired.id, "turn_" + "f" * 32)))
    assert (job.progress.total, job.progress.done, job.can_undo) == (2, 2, True)
    assert bench.listed() == {kept.id}
    raw.delete(keys.TURN(expired.id))
    undone = bench.run(UNDO, "undo").progress
    assert (undone.total, undone.done) == (1, 1)
    assert bench.listed() == {first.id, kept.id}
    after = raw.zrange(keys.FAILED.name, 0, -1, withscores=True)
    assert after == [entry for entry in before if expired.id.encode() not in entry[0]], "each where it was"
    assert bench.run(UNDO, "again").progress.done == 0


def test_a_stopped_undo_is_followed_by_another_one(fail: Fail, bench: Bench) -> None:
    turns = [fail() for _ in range(2)]
    bench.run(DISCARD)
    undo = dataclasses.replace(UNDO, per_second=1)
    first = bench.jobs.create_undo(undo)
    bench.step(first.id)
    bench.step(first.id)
    other = dataclasses.replace(undo, reason="another operator asks")
    assert bench.jobs.create_undo(other).id == first.id, "there is one at a time"
    bench.jobs.stop_job(first.id)
    assert (bench.finish(first.id).status, len(bench.listed())) == (JobStatus.STOPPED, 1)
    second = bench.jobs.create_undo(other)
    assert second.id != first.id
    assert bench.finish(second.id).progress.done == 1
    assert bench.listed() == {turn.id for turn in turns}
    assert bench.jobs.create_undo(undo) == bench.jobs.get_job(second.id), "nothing is left"


def test_a_discard_without_a_recorded_step_is_undone(fail: Fail, bench: Bench) -> None:
    turn = fail()
    bench.jobs.create_job("job", DISCARD)
    bench.step()
    claimed = bench.jobs.claim_job()
    assert isinstance(claimed, Job)
    bench.jobs.discard(claimed, [f"-/{turn.id}"])  # then the process dies
    bench.jobs.stop_job("job")
    job = bench.finish()
    assert (job.progress.done, job.can_undo, bench.listed()) == (0, True, set())
    assert bench.finish(bench.jobs.create_undo(UNDO).id).progress.done == 1
    assert bench.listed() == {turn.id}


def test_only_the_present_step_discards_and_restores(fail: Fail, bench: Bench) -> None:
    member = f"-/{fail().id}"
    bench.jobs.create_job("job", DISCARD)
    bench.step()
    claimed = bench.jobs.claim_job()
    assert isinstance(claimed, Job)
    assert bench.finish().progress.done == 1
    bench.jobs.create_job("undo", UNDO)
    bench.step("undo")
    bench.server.raw.zadd(keys.JOBS_DUE.name, {"undo": 1})
    restoring = bench.jobs.claim_job()
    assert isinstance(restoring, Job)
    assert bench.jobs.restore(restoring, [member]) == 1  # then the process dies
    assert bench.finish("undo").progress.done == 1, "it is counted all the same"
    assert bench.jobs.discard(claimed, [member]) == 0
    assert len(bench.listed()) == 1
    bench.run(DISCARD, "again")
    assert bench.jobs.restore(restoring, [member]) == 0
    assert bench.listed() == set()


def test_live_turns_are_cancelled_newest_first(
    accept: Accept, claim: ClaimTurn, bench: Bench, hints: Callable[[], list[str]]
) -> None:
    mine = [
        accept(session_id="a", user_id="u"),
        accept(session_id="a", user_id="u"),
        accept(session_id="c", user_id="u"),
    ]
    other = accept(session_id="b")
    claim(mine[0])
    hints()
    assert bench.run(dataclasses.replace(CANCEL, filter=TurnFilter(user_id="u"))).progress.done == 3
    assert {bench.store.get_turn(turn.id).status for turn in mine} == {Status.CANCELLED}
    assert bench.store.get_turn(other.id).status is Status.QUEUED
    assert hints() == [], "the end of one turn starts no other"
    claim(other)
    queued = dataclasses.replace(CANCEL, filter=TurnFilter(statuses=frozenset({Status.QUEUED})))
    assert bench.run(queued, "queued").progress.total == 0
    assert bench.store.get_turn(other.id).status is Status.IN_PROGRESS


def test_a_preview_counts_without_any_effect(fail: Fail, accept: Accept, bench: Bench) -> None:
    turns = [fail(tenant="acme"), fail(Code.CHAIN_ERROR), fail(Code.WORKER_LOST)]
    selector = Selector(bench.client)
    preview = selector.preview(RETRY)
    assert (preview.count, preview.left_out, preview.is_complete) == (2, 1, True)
    assert preview.by_code == {"provider_error": 1, "chain_error": 1}
    assert preview.by_tenant == {"acme": 1, "-": 1}
    assert preview.turn_ids == (turns[0].id, turns[1].id)
    assert bench.listed() == {turn.id for turn in turns}
    accept()
    assert selector.preview(CANCEL).by_code == {"queued": 1}


def test_a_repeated_request_creates_one_job(bench: Bench) -> None:
    first, is_new = bench.jobs.create_job("job", RETRY)
    assert is_new
    assert bench.jobs.create_job("job", RETRY) == (first, False)
    with pytest.raises(IdempotencyKeyReused):
        bench.jobs.create_job("job", DISCARD)
    for read in (bench.jobs.get_job, bench.jobs.stop_job):
        with pytest.raises(JobNotFound):
            read("unknown")


def test_jobs_are_bounded_in_number_and_time(bench: Bench) -> None:
    for n in range(MAX_JOBS + 2):
        bench.run(RETRY, f"ended{n}")
    assert {"ended0", "ended1"}.isdisjoint(job.id for job in bench.jobs.list_jobs())
    for n in range(MAX_OPEN_JOBS):
        bench.jobs.create_job(f"open{n}", RETRY)
    with pytest.raises(TooManyJobs):
        bench.jobs.create_job("more", RETRY)
    assert len(bench.jobs.list_jobs()) == MAX_JOBS
    bench.server.raw.delete(*(keys.JOB(f"open{n}") for n in range(MAX_OPEN_JOBS)))  # expired
    assert bench.jobs.create_job("more", RETRY)[1]


def test_another_process_continues_after_a_death(fail: Fail, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "MAX_STEP_TURNS", 2)
    turns = [fail() for _ in range(5)]
    bench.jobs.create_job("job", RETRY)
    bench.step()
    claimed = bench.jobs.claim_job()
    assert isinstance(claimed, Job)
    bench.failed.retry_failed(bench.failed.find_failed(turns[0].id))  # in the middle of its step, the process dies
    assert bench.new_runner().step() > 0, "the step is taken"
    assert 0 < bench.server.raw.zscore(keys.JOBS_DUE.name, "job") - bench.now_ms() <= JOB_LEASE_MS
    assert bench.finish().progress.processed == 5
    assert sorted(bench.retried()) == [turn.id for turn in turns], "each once"
    bench.jobs.advance_job(claimed, claimed.progress, next_seconds=0)
    assert bench.progress().processed == 5, "a step of an earlier claim writes nothing"


def test_a_broken_off_collection_is_done_again(fail: Fail, bench: Bench) -> None:
    fail()
    bench.jobs.create_job("job", RETRY)
    claimed = bench.jobs.claim_job()
    assert isinstance(claimed, Job)
    assert bench.jobs.keep_job(claimed, ["-/turn_0"] * 1001)
    assert bench.finish().progress.total == 1
    assert not bench.jobs.keep_job(claimed)


def test_a_stopped_job_leaves_the_rest(fail: Fail, bench: Bench) -> None:
    turns = [fail() for _ in range(3)]
    bench.jobs.create_job("job", dataclasses.replace(RETRY, per_second=1))
    bench.step()
    bench.step()
    assert bench.jobs.stop_job("job").is_stopping
    job = bench.finish()
    assert (job.status, job.progress.done) == (JobStatus.STOPPED, 1)
    assert bench.jobs.stop_job("job") == job
    assert bench.listed() == {turn.id for turn in turns[1:]}
    assert [job.status for job in bench.ended] == [JobStatus.STOPPED]
    assert not bench.server.raw.exists(keys.JOB_TURNS("job"))


def test_the_rate_delays_the_next_step(fail: Fail, bench: Bench) -> None:
    for _ in range(3):
        fail()
    bench.jobs.create_job("job", dataclasses.replace(RETRY, per_second=1))
    bench.step()
    began_at = bench.now_ms()
    bench.step()
    assert bench.progress().processed == 1
    assert bench.server.raw.zscore(keys.JOBS_DUE.name, "job") - began_at >= 900


def test_a_job_waits_while_the_intake_is_paused(fail: Fail, bench: Bench, pauses: Pauses) -> None:
    fail()
    pauses.pause(INTAKE)
    bench.jobs.create_job("job", RETRY)
    for _ in range(3):
        bench.step()
    assert (bench.progress().processed, bench.progress().blocked_by) == (0, "intake_paused")
    pauses.resume(INTAKE)
    bench.step()
    assert (bench.progress().done, bench.progress().blocked_by) == (1, None)


def test_a_refused_turn_stays_listed_and_blocks_no_other(fail: Fail, bench: Bench) -> None:
    gone = fail(assistant=dataclasses.replace(DEFAULT, name="gone"))
    fail()
    progress = bench.run(RETRY).progress
    assert (progress.done, progress.refused, progress.refusal) == (1, 1, "assistant_not_found")
    assert bench.listed() == {gone.id}


def test_an_unreadable_turn_blocks_no_other(fail: Fail, bench: Bench) -> None:
    turns = [fail() for _ in range(4)]
    damage = bench.server.raw
    damage.hdel(keys.TURN(turns[0].id), "packed")  # before it is collected
    bench.jobs.create_job("job", RETRY)
    bench.step()
    damage.hset(keys.TURN(turns[1].id), "accepted_at", "yesterday")
    damage.delete(keys.TURN(turns[2].id))
    damage.set(keys.TURN(turns[2].id), "of another program", ex=60)
    progress = bench.finish().progress
    assert (progress.total, progress.done, progress.refused, progress.refusal) == (3, 1, 2, "turn_unreadable")
    assert damage.zscore(keys.FAILED.name, f"-/{turns[3].id}") is None


def test_a_key_of_another_program_stops_no_other_job(fail: Fail, bench: Bench) -> None:
    fail()
    bench.jobs.create_job("wrong", RETRY)
    bench.server.raw.delete(keys.JOB("wrong"))
    bench.server.raw.set(keys.JOB("wrong"), "of another program", ex=60)
    bench.server.raw.zadd(keys.JOBS_DUE.name, {"wrong": 0})
    assert bench.run(RETRY).progress.done == 1


def test_a_turn_that_was_resolved_meanwhile_is_skipped(fail: Fail, bench: Bench) -> None:
    turns = [fail() for _ in range(2)]
    bench.jobs.create_job("job", RETRY)
    bench.step()
    bench.server.raw.zrem(keys.FAILED.name, f"-/{turns[0].id}")
    progress = bench.finish().progress
    assert (progress.total, progress.done, progress.skipped) == (2, 1, 1)
    assert bench.retried() == [turns[1].id]


def test_many_failed_turns_are_retried_while_more_arrive(fail: Fail, bench: Bench) -> None:
    turns = [fail() for _ in range(300)]
    confirmed = bench.jobs.create_job("job", RETRY)[0].before
    while bench.now_ms() == confirmed:
        pass
    later = []
    while not bench.jobs.get_job("job").is_ended:
        later.append(fail(Code.CHAIN_ERROR))
        bench.step()
    assert bench.progress().done == bench.progress().total == 300
    assert sorted(bench.retried()) == [turn.id for turn in turns]
    assert bench.listed() == {turn.id for turn in later}
