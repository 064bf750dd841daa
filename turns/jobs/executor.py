"""One step of a job: act on its next turns. Each act may be repeated, so a step that was broken off is done again."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from turns.config.logs import Log, get_logger
from turns.domain.errors import Refused, StoreUnavailable, TurnExpired, TurnNotFound
from turns.domain.state import Status
from turns.jobs.failed_turns import STOPPING_REFUSALS, FailedTurns
from turns.jobs.job import BulkAct, Job, Progress
from turns.jobs.job_store import JobStore
from turns.store.turns import TurnStore

UNREADABLE = "turn_unreadable"  # the code of a turn whose record is damaged
MAX_STEP_SECONDS = 3.0  # a step claims its job for ten; one command of an unreachable store takes a second or two


class JobExecutor:
    def __init__(
        self, jobs: JobStore, store: TurnStore, failed: FailedTurns, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._jobs = jobs
        self._store = store
        self._failed = failed
        self._clock = clock

    def perform(self, job: Job, members: Sequence[str]) -> Progress:
        """Act on these turns, given as `<tenant>/<turn id>`, or on the first ones. Raises `StoreUnavailable`."""
        if job.spec.act is BulkAct.DISCARD:
            return _count(job.progress, len(members), done=self._jobs.discard(job, members))
        if job.spec.act is BulkAct.RESTORE:
            return _count(job.progress, len(members), done=self._jobs.restore(job, members))
        return self._act_on_each(job, members)

    def _act_on_each(self, job: Job, members: Sequence[str]) -> Progress:
        act = self._cancel if job.spec.act is BulkAct.CANCEL else self._retry
        progress, began_at = replace(job.progress, blocked_by=None), self._clock()
        for member in members:
            try:
                progress = _count(progress, 1, done=act(member))
            except STOPPING_REFUSALS as refusal:
                return replace(progress, blocked_by=refusal.code)  # all others would be refused too
            except Refused as refusal:
                progress = _count_refused(progress, refusal.code)
            except StoreUnavailable:
                raise
            except Exception as error:  # one turn must not keep the job from all others
                get_logger().error(Log.LOOP_BROKEN, loop="jobs", turn_id=member, error=type(error).__name__)
                progress = _count_refused(progress, UNREADABLE)
            if self._clock() - began_at >= MAX_STEP_SECONDS:
                break
        return progress

    def _cancel(self, member: str) -> bool:
        """Return whether the turn is cancelled, by this step or by another caller."""
        tenant, _, turn_id = member.partition("/")
        try:
            return self._store.cancel(turn_id, tenant=tenant).status is Status.CANCELLED
        except (TurnNotFound, TurnExpired):
            return False

    def _retry(self, member: str) -> bool:
        """Return false if the turn was resolved otherwise, or has expired."""
        turn = self._failed.read_unresolved(member)
        if turn:
            self._failed.retry_failed(turn)
        return turn is not None


def _count(progress: Progress, number: int, *, done: int) -> Progress:
    return replace(progress, done=progress.done + done, skipped=progress.skipped + number - done)


def _count_refused(progress: Progress, code: str) -> Progress:
    return replace(progress, refused=progress.refused + 1, refusal=code)
