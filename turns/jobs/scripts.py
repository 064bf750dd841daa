"""The Lua scripts of jobs as typed methods, one for each verb."""

from collections.abc import Mapping, Sequence

from turns.backend.script_loader import JOB_VERBS
from turns.backend.script_replies import Reply, to_record
from turns.backend.script_runner import ScriptRunner, flatten

Fields = Mapping[str, str | int]


class JobScripts(ScriptRunner):
    verbs = JOB_VERBS

    def create_job(
        self, job_id: str, *, fingerprint: str, before: int | None, fields: Fields
    ) -> tuple[Reply, dict[str, str]]:
        """Return ACCEPTED or REPLAYED with the record of the job; KEY_REUSED or OVERLOADED without one."""
        first = "" if before is None else before
        outcome, *reply = self._run("create_job", job_id, fingerprint, first, *flatten(fields))
        return Reply(outcome), to_record(reply[0]) if reply else {}

    def claim_job(self, token: str) -> tuple[tuple[str, dict[str, str]] | None, int]:
        """Return the id and the record of a job; or None and the milliseconds until one is due, -1 for none."""
        outcome, *reply = self._run("claim_job", token)
        if Reply(outcome) is Reply.NOT_NOW:
            return None, reply[0]
        job_id, record = reply
        return (job_id.decode(), to_record(record)), 0

    def collect_job(self, job_id: str, *, token: str, before: int, turns: Sequence[str]) -> Reply:
        """Return COUNTED or LOST."""
        return self._outcome("collect_job", job_id, token, before, *turns)

    def advance_job(self, job_id: str, *, token: str, next_ms: int | None, fields: Fields) -> Reply:
        """Return RELEASED, ENDED or LOST; without `next_ms` the job ends."""
        return self._outcome("advance_job", job_id, token, "" if next_ms is None else next_ms, *flatten(fields))

    def stop_job(self, job_id: str) -> Reply:
        """Return CANCELLED, ENDED or GONE."""
        return self._outcome("stop_job", job_id)

    def discard(self, job_id: str, *, token: str, turns: Sequence[str]) -> int:
        """Return the number of these turns that the job has discarded; 0 if another process does this step."""
        _, *count = self._run("discard", job_id, token, *turns)
        return int(count[0]) if count else 0

    def restore(self, job_id: str, *, token: str, discarded_by: str, turns: Sequence[str]) -> int:
        """Return the number of these turns that are failed ones again; 0 if another process does this step."""
        _, *count = self._run("restore", job_id, token, discarded_by, *turns)
        return int(count[0]) if count else 0
