"""The audit of bulk acts, whose begin and end are recorded outside of a request."""

from turns.access.audit_log import Act, AuditLog
from turns.jobs.job import Job, JobSpec
from web.security.audit import record


def audit_begin(audit_log: AuditLog, job: Job) -> None:
    """Record the begin of a job with its conditions. Raises `StoreUnavailable`; then the job does not begin yet."""
    _record(audit_log, "begin_job", job, conditions=_describe(job.spec))


def audit_end(audit_log: AuditLog, job: Job) -> None:
    """Record the end of a job with its numbers. Raises `StoreUnavailable`; then the job does not end yet."""
    progress = job.progress
    numbers = {
        "total": progress.total,
        "count": progress.done,
        "skipped": progress.skipped,
        "refused": progress.refused,
    }
    _record(audit_log, "end_job", job, status=job.status, **numbers)


def _record(audit_log: AuditLog, action: str, job: Job, **details: int | str) -> None:
    spec = job.spec
    record(
        audit_log,
        Act(
            action=action,
            what=job.id,
            key_id=spec.key_id,
            tenant=spec.key_tenant,
            target_tenant=spec.filter.tenant,
            reason=spec.reason,
            details={"act": spec.act, **details},
        ),
    )


def _describe(spec: JobSpec) -> str:
    """Return the conditions of a job in one line."""
    if spec.turn_ids:
        return f"{len(spec.turn_ids)} turns by id"
    given = {name: getattr(spec.filter, name) for name in type(spec.filter).__dataclass_fields__}
    shown = {name: ",".join(value) if name == "statuses" else value for name, value in given.items() if value}
    return " ".join(f"{name}={value}" for name, value in shown.items()) or spec.undo_of or "all"
