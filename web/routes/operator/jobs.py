"""The routes of bulk acts: preview, create, follow, stop and undo jobs."""

import re

from flask import Blueprint, Response, g

from turns.domain.errors import IdempotencyKeyReused, InvalidRequest, JobNotFound, TooManyJobs
from turns.jobs.job import BulkAct, Job, JobSpec
from turns.jobs.job_store import JobStore
from turns.jobs.runner import JobRunner
from turns.jobs.selection import Selector
from web.http.responses import read_json_body, reply
from web.http.validation import parse_body
from web.openapi.operation import Operation, ResponseSpec
from web.schemas.operator import jobs as schema
from web.security.audit import audit

MAX_BODY_BYTES = 128 * 1024  # a thousand ids of turns are 43 KB
IS_JOB_ID = re.compile(schema.JOB_ID)


def build_operator_jobs(jobs: JobStore, selector: Selector, runner: JobRunner) -> Blueprint:
    api = Blueprint("operator_jobs", __name__)

    @Operation(
        id="list_jobs",
        method="get",
        path="/operator/jobs",
        summary="List the bulk acts of about the last day, newest first",
        responses={200: ResponseSpec("The jobs, at most 100", schema.Jobs)},
    ).on(api)
    def list_jobs() -> Response:
        return reply(schema.Jobs(data=tuple(map(schema.JobState.of, jobs.list_jobs()))))

    @Operation(
        id="preview_job",
        method="get",
        path="/operator/preview",
        summary="Count the turns that a bulk act would touch now",
        query=schema.PreviewQuery,
        responses={200: ResponseSpec("Their number, by code and tenant", schema.JobPreview)},
    ).on(api)
    def preview_job(query: schema.PreviewQuery) -> Response:
        spec = _to_spec(query)
        return reply(schema.JobPreview.of(query.act, selector.preview(spec)))

    @Operation(
        id="create_job",
        method="put",
        path="/operator/jobs/{job_id}",
        summary="Cancel live turns, or retry or discard failed ones, in the background",
        body=schema.JobBody,
        responses={202: ResponseSpec("The job; repeating the request returns it again", schema.JobState)},
        refusals=(IdempotencyKeyReused, TooManyJobs),
    ).on(api)
    def create_job(job_id: str) -> Response:
        body = parse_body(schema.JobBody, read_json_body(max_bytes=MAX_BODY_BYTES))
        _check_target(body)
        spec = _to_spec(body, turn_ids=tuple(body.turn_ids), per_second=body.per_second, reason=body.reason)
        return _begin(jobs.create_job(_parse_id(job_id), spec, before=body.before)[0])

    @Operation(
        id="get_job",
        method="get",
        path="/operator/jobs/{job_id}",
        summary="Get the progress of a bulk act",
        responses={200: ResponseSpec("The job", schema.JobState)},
        refusals=(JobNotFound,),
    ).on(api)
    def get_job(job_id: str) -> Response:
        return reply(schema.JobState.of(jobs.get_job(_parse_id(job_id))))

    @Operation(
        id="stop_job",
        method="post",
        path="/operator/jobs/{job_id}/stop",
        summary="Stop a bulk act; what it has done stays done",
        responses={200: ResponseSpec("The job, which ends within moments", schema.JobState)},
        refusals=(JobNotFound,),
    ).on(api)
    def stop_job(job_id: str) -> Response:
        job = jobs.stop_job(_parse_id(job_id))
        audit("stop_job", job.id)
        runner.wake()
        return reply(schema.JobState.of(job))

    @Operation(
        id="undo_job",
        method="post",
        path="/operator/jobs/{job_id}/undo",
        summary="Put the turns that a job has discarded back on the list of failed ones",
        query=schema.UndoQuery,
        responses={202: ResponseSpec("The job that restores them", schema.JobState)},
        refusals=(JobNotFound, IdempotencyKeyReused, TooManyJobs),
    ).on(api)
    def undo_job(job_id: str, query: schema.UndoQuery) -> Response:
        job = jobs.get_job(_parse_id(job_id))
        if not job.can_undo:
            raise InvalidRequest("job_id", "must be a job that has ended and has discarded turns")
        spec = JobSpec(
            act=BulkAct.RESTORE,
            undo_of=job.id,
            reason=query.reason,
            key_id=g.caller.key_id,
            key_tenant=g.caller.tenant,
        )
        return _begin(jobs.create_undo(spec))

    def _begin(job: Job) -> Response:
        runner.wake()
        return reply(schema.JobState.of(job), 202)

    return api


def _to_spec(
    given: schema.JobConditions, *, turn_ids: tuple[str, ...] = (), per_second: int = 1, reason: str = ""
) -> JobSpec:
    act = BulkAct(given.act)
    is_cancel = act is BulkAct.CANCEL
    if given.status and not is_cancel:
        raise InvalidRequest("status", "goes with the act cancel only; the others take failed turns")
    if given.code and is_cancel:
        raise InvalidRequest("code", "goes with failed turns only, not with the act cancel")
    return JobSpec(
        act=act,
        filter=given.to_filter(given.status),
        turn_ids=turn_ids,
        per_second=per_second,
        includes_poison=given.include_poison,
        reason=reason,
        key_id=g.caller.key_id,
        key_tenant=g.caller.tenant,
    )


def _check_target(body: schema.JobBody) -> None:
    """Raise `InvalidRequest` for a job on all turns that does not say so, because a misspelt tool may forget them."""
    if not (body.has_any or body.status or body.turn_ids or body.all):
        raise InvalidRequest("all", "must be true for a job without a condition and without turn_ids")


def _parse_id(job_id: str) -> str:
    if not IS_JOB_ID.fullmatch(job_id):
        raise InvalidRequest("job_id", "must be 8 to 64 characters of A-Z a-z 0-9 . _ ~ -")
    return job_id
