"""The jobs in the store. A process claims one step of a job at a time, as a worker claims a turn."""

import hashlib
from collections.abc import Callable, Sequence
from typing import cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.script_loader import MAX_JOBS
from turns.backend.script_replies import Reply, to_record
from turns.config.settings import Settings
from turns.domain.errors import IdempotencyKeyReused, JobNotFound, TooManyJobs
from turns.domain.ids import new_token
from turns.jobs.job import Job, JobSpec, JobStatus, Progress
from turns.jobs.scripts import JobScripts

Act = Callable[[JobScripts, str, Sequence[str]], int]  # of a script on turns, with the token of its step
COLLECTED_AT_ONCE = 1000  # turns, so that the script blocks Redis for less than a millisecond


class JobStore:
    """Every method raises `StoreUnavailable`."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._scripts = JobScripts(client, settings)
        self._parts = [JobScripts(partition, settings) for partition in client.partitions]

    # -- for operators

    def create_job(self, job_id: str, spec: JobSpec, *, before: int | None = None) -> tuple[Job, bool]:
        """Store a job; return it, and whether it is new. Repeating the call with the same arguments has no effect.

        It touches only turns that were accepted, or have failed, until `before` (ms), at most until now. Raises
        `IdempotencyKeyReused` if another job has this id, and `TooManyJobs`.
        """
        text = spec.to_json()
        outcome, record = self._scripts.create_job(
            job_id,
            fingerprint=hashlib.sha256(f"{before} {text}".encode()).hexdigest(),
            before=before,
            fields={"spec": text, "status": JobStatus.COLLECTING},
        )
        if outcome is Reply.KEY_REUSED:
            raise IdempotencyKeyReused("This job id was already used for a different job.")
        if outcome is Reply.OVERLOADED:
            raise TooManyJobs
        return Job.from_record(job_id, record), outcome is Reply.ACCEPTED

    def create_undo(self, spec: JobSpec) -> Job:
        """Return the job that restores what `spec.undo_of` has discarded.

        It follows an undo that was stopped; otherwise all callers get the same one. Raises like `create_job`.
        """
        for number in range(MAX_JOBS):
            undo_id = f"undo-{hashlib.sha256(f'{spec.undo_of} {number}'.encode()).hexdigest()[:32]}"
            undo = self._find_job(undo_id)
            if not undo:
                return self.create_job(undo_id, spec)[0]
            if undo.status != JobStatus.STOPPED:
                return undo
        raise TooManyJobs

    def get_job(self, job_id: str) -> Job:
        """Return a job. Raises `JobNotFound`, also when it is no longer kept."""
        job = self._find_job(job_id)
        if not job:
            raise JobNotFound
        return job

    def list_jobs(self) -> list[Job]:
        """Return the last jobs, newest first."""
        listed = [job_id.decode() for job_id in cast(list[bytes], self._client.zrevrange(keys.JOBS.name, 0, -1))]
        records = map(to_record, self._client.execute_many([("HGETALL", keys.JOB(job_id)) for job_id in listed]))
        found = zip(listed, records, strict=True)
        return [Job.from_record(job_id, record) for job_id, record in found if "spec" in record]

    def stop_job(self, job_id: str) -> Job:
        """Let a job end after its present step, and return it. Raises `JobNotFound`."""
        if self._scripts.stop_job(job_id) is Reply.GONE:
            raise JobNotFound
        return self.get_job(job_id)

    # -- for the process that does a step

    def claim_job(self) -> Job | float | None:
        """Return the job whose next step is this process' to do, or the seconds until one is due; None: no job."""
        claimed, wait_ms = self._scripts.claim_job(new_token())
        if claimed is None:
            return None if wait_ms < 0 else wait_ms / 1000
        return Job.from_record(*claimed)

    def keep_job(self, job: Job, turns: Sequence[str] = (), *, before: int = 0) -> bool:
        """Append turns to those of the job, of which `before` are kept, and go on with the present step.

        Return false if another process does it.
        """
        for start in range(0, max(1, len(turns)), COLLECTED_AT_ONCE):
            part = turns[start : start + COLLECTED_AT_ONCE]
            if self._scripts.collect_job(job.id, token=job.token, before=before + start, turns=part) is Reply.LOST:
                return False
        return True

    def next_turns(self, job: Job, count: int) -> list[str]:
        """Return the next turns of the job that were not processed, as `<tenant>/<turn id>`."""
        first = job.progress.processed
        found = cast(list[bytes], self._client.lrange(keys.JOB_TURNS(job.id), first, first + count - 1))
        return [turn.decode() for turn in found]

    def advance_job(self, job: Job, progress: Progress, *, next_seconds: float) -> None:
        """Record the progress and let any process do the next step after this time."""
        fields = {**progress.to_record(), "status": JobStatus.RUNNING}
        self._scripts.advance_job(job.id, token=job.token, next_ms=max(0, round(next_seconds * 1000)), fields=fields)

    def end_job(self, job: Job, status: JobStatus) -> None:
        """End the job."""
        self._scripts.advance_job(job.id, token=job.token, next_ms=None, fields={"status": status})

    def discard(self, job: Job, turns: Sequence[str]) -> int:
        """Discard failed turns; return how many of them the job has discarded."""

        def discard(scripts: JobScripts, token: str, part: Sequence[str]) -> int:
            return scripts.discard(job.id, token=token, turns=part)

        return self._act(discard, job, turns)

    def restore(self, job: Job, turns: Sequence[str]) -> int:
        """Put turns that were discarded back on the list of failed ones; return how many of them are there."""

        def restore(scripts: JobScripts, token: str, part: Sequence[str]) -> int:
            return scripts.restore(job.id, token=token, discarded_by=job.spec.undo_of or "", turns=part)

        return self._act(restore, job, turns)

    def _act(self, act: Act, job: Job, turns: Sequence[str]) -> int:
        """Act on the turns where their list is, and return the sum; 0 if another process does this step.

        In a Redis Cluster each partition has its part of the list, and only the home partition knows the job. Its claim
        is renewed before; a step of a process that has lost it since touches no other turns than the job has.
        """
        if len(self._parts) == 1:
            return act(self._scripts, job.token, turns)
        if not self.keep_job(job, before=job.progress.total):
            return 0
        groups: dict[int, list[str]] = {}
        for turn in turns:
            groups.setdefault(self._client.find_partition(turn.rpartition("/")[2]), []).append(turn)
        return sum(act(self._parts[number], "", part) for number, part in groups.items())

    def _find_job(self, job_id: str) -> Job | None:
        record = to_record(cast(dict[bytes, bytes], self._client.hgetall(keys.JOB(job_id))))
        return Job.from_record(job_id, record) if "spec" in record else None
