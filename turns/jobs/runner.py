"""Carries out jobs: every web process has one runner, and each step of a job is done by whichever claims it first."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from turns.backend.partition.missing import collect_missing, missing_partitions
from turns.config.logs import Log, get_logger
from turns.domain.errors import StoreUnavailable
from turns.jobs.executor import JobExecutor
from turns.jobs.job import BulkAct, Job, JobStatus, Progress
from turns.jobs.job_store import JobStore
from turns.jobs.selection import MAX_TURNS, Candidate, Selector, in_order, is_left_out

POLL_SECONDS = 2.0  # in which a process notices the job of another one that has died
OUTAGE_SECONDS = 5.0  # between two attempts, and two lines of the log
STEP_SECONDS = 0.25  # a step has as many turns as this time allows at the rate of the job
MAX_STEP_TURNS = 50
BLOCKED_SECONDS = 2.0  # until a step tries again that the service refused, for example while its intake is paused
MAX_JOB_MS = 86_400_000


class JobRunner:
    """Does the steps of jobs in a thread of this process."""

    def __init__(
        self,
        jobs: JobStore,
        selector: Selector,
        executor: JobExecutor,
        *,
        on_begin: Callable[[Job], None],
        on_end: Callable[[Job], None],
        now_ms: Callable[[], float] = lambda: time.time() * 1000,
    ) -> None:
        """`on_begin` is called with each job right before its turns are collected, `on_end` right before it ends.

        If the process dies then, another one calls it again.
        """
        self._jobs = jobs
        self._selector = selector
        self._executor = executor
        self._on_begin = on_begin
        self._on_end = on_end
        self._now_ms = now_ms
        self._woken = threading.Event()

    def start(self) -> None:
        """Start the thread."""
        threading.Thread(target=self._run, name="jobs", daemon=True).start()

    def wake(self) -> None:
        """Look for a job at once, because this process has created one."""
        self._woken.set()

    def step(self) -> float:
        """Do one step of a job that is due; return the seconds until the next one may be. Raises `StoreUnavailable`."""
        job = self._jobs.claim_job()
        if not isinstance(job, Job):
            return POLL_SECONDS if job is None else min(job, POLL_SECONDS)
        if not isinstance(job.spec.act, BulkAct):
            return POLL_SECONDS  # a process of a newer release does this step
        if job.is_stopping or self._now_ms() - job.created_at > MAX_JOB_MS:
            self._end(job, JobStatus.STOPPED)
        elif job.status == JobStatus.COLLECTING:
            self._collect(job)
        elif job.progress.processed >= job.progress.total:
            self._end(job, JobStatus.COMPLETED)
        else:
            self._act(job)
        return 0.0

    def _run(self) -> None:
        while True:
            self._woken.clear()
            try:
                wait_seconds = self.step()
            except StoreUnavailable as error:
                get_logger().warning(Log.STORE_UNAVAILABLE, error=str(error))
                wait_seconds = OUTAGE_SECONDS
            except Exception:  # a bug in the step of one job must not keep others from running
                get_logger().exception(Log.LOOP_BROKEN, loop="jobs")
                wait_seconds = POLL_SECONDS
            if wait_seconds > 0:
                self._woken.wait(wait_seconds)

    def _collect(self, job: Job) -> None:
        """List the turns of the job, of which there are none before this step is finished."""
        self._on_begin(job)
        collect_missing()
        found: list[Candidate] = []
        for part in self._selector.select(job.spec, before=job.before):
            found += part
            if not self._jobs.keep_job(job):
                return
        turns = [turn.member for turn in in_order(found, job.spec) if not is_left_out(turn, job.spec)][:MAX_TURNS]
        left_out = len({turn.id for turn in found if is_left_out(turn, job.spec)})
        if self._jobs.keep_job(job, turns):
            progress = Progress(total=len(turns), left_out=left_out, missing_partitions=missing_partitions())
            self._jobs.advance_job(job, progress, next_seconds=0)

    def _act(self, job: Job) -> None:
        rate, began_at = job.spec.per_second, self._now_ms()
        turns = self._jobs.next_turns(job, min(MAX_STEP_TURNS, max(1, int(rate * STEP_SECONDS))))
        if not turns:  # the list has expired or was evicted
            self._end(job, JobStatus.STOPPED)
            return
        progress = self._executor.perform(job, turns)
        took_seconds = (self._now_ms() - began_at) / 1000
        wait_seconds = (progress.processed - job.progress.processed) / rate - took_seconds
        self._jobs.advance_job(job, progress, next_seconds=BLOCKED_SECONDS if progress.blocked_by else wait_seconds)

    def _end(self, job: Job, status: JobStatus) -> None:
        self._on_end(replace(job, status=status))
        self._jobs.end_job(job, status)
