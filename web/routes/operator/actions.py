"""The routes with which operators act on failed turns and workers."""

from flask import Blueprint, Response

from turns.domain.error_codes import Code
from turns.domain.errors import AssistantNotFound, CountChanged, InvalidRequest, TurnNotFound, WorkerNotFound
from turns.operations.actions import BulkResult, OperatorActions
from turns.operations.queries import OperatorQueries
from web.http.problems import to_problem
from web.http.responses import reply, reply_empty, reply_turn
from web.openapi.operation import RESUBMITTED, Operation, ResponseSpec
from web.routes.service_status import service_status
from web.schemas import responses
from web.schemas.operator import responses as schema
from web.schemas.requests import CodeQuery, FailedQuery, RetryAllQuery
from web.security.audit import audit


def build_operator_actions(actions: OperatorActions, queries: OperatorQueries) -> Blueprint:
    api = Blueprint("operator_actions", __name__)

    @Operation(
        id="status",
        method="get",
        path="/operator/status",
        summary="Get the state of the service",
        responses={200: ResponseSpec("The main numbers, and what is paused", responses.ServiceStatus)},
    ).on(api)
    def status() -> Response:
        return reply(service_status(queries))

    @Operation(
        id="list_failed",
        method="get",
        path="/operator/failed",
        summary="List the unresolved failed turns of all tenants, newest first",
        query=FailedQuery,
        responses={200: ResponseSpec("A page", responses.Page[responses.FailedTurn, int])},
    ).on(api)
    def list_failed(query: FailedQuery) -> Response:
        page = actions.list_failed(code=query.code, after=query.after, limit=query.limit)
        return reply(responses.Page[responses.FailedTurn, int].of(page.turns, page.after))

    @Operation(
        id="retry_all_failed",
        method="post",
        path="/operator/failed/retry",
        summary="Retry all failed turns with a code, if there are as many as the caller expects",
        query=RetryAllQuery,
        responses={200: ResponseSpec("The number of retries, and the first refusal", schema.BulkResult)},
        refusals=(CountChanged,),
    ).on(api)
    def retry_all_failed(query: RetryAllQuery) -> Response:
        _check_consent(query)
        result = actions.retry_all_failed(query.code, count=query.count)
        audit("retry_all", query.code, count=result.done)
        return reply(_to_bulk_result(result))

    @Operation(
        id="discard_all_failed",
        method="post",
        path="/operator/failed/discard",
        summary="Resolve all failed turns with a code without a retry, if there are as many as the caller expects",
        query=CodeQuery,
        responses={200: ResponseSpec("The number of resolved turns", schema.BulkResult)},
        refusals=(CountChanged,),
    ).on(api)
    def discard_all_failed(query: CodeQuery) -> Response:
        result = actions.discard_all_failed(query.code, count=query.count)
        audit("discard_all", query.code, count=result.done)
        return reply(_to_bulk_result(result))

    @Operation(
        id="retry_failed",
        method="post",
        path="/operator/failed/{turn_id}/retry",
        summary="Retry a failed turn as a new last turn of its session, which resolves it",
        responses={202: ResponseSpec("The new turn", responses.Turn, headers=("Retry-After",))},
        refusals=(TurnNotFound, AssistantNotFound, *RESUBMITTED),
    ).on(api)
    def retry_failed(turn_id: str) -> Response:
        turn = actions.retry_failed(actions.find_failed(turn_id)).turn
        audit("retry", turn_id, tenant=turn.tenant)
        return reply_turn(turn, 202)

    @Operation(
        id="discard_failed",
        method="post",
        path="/operator/failed/{turn_id}/discard",
        summary="Resolve a failed turn without a retry; its record is kept until it expires",
        responses={204: ResponseSpec("The turn is no longer listed as failed")},
        refusals=(TurnNotFound,),
    ).on(api)
    def discard_failed(turn_id: str) -> Response:
        turn = actions.find_failed(turn_id)
        actions.discard_failed(turn)
        audit("discard", turn_id, tenant=turn.tenant)
        return reply_empty()

    @Operation(
        id="drain",
        method="post",
        path="/operator/workers/{worker}/drain",
        summary="Drain a worker: it finishes its running turns and ends",
        responses={204: ResponseSpec("The worker is notified within about a second")},
        refusals=(WorkerNotFound,),
    ).on(api)
    def drain(worker: str) -> Response:
        actions.drain_worker(worker)
        audit("drain", worker)
        return reply_empty()

    return api


def _to_bulk_result(result: BulkResult) -> schema.BulkResult:
    return schema.BulkResult(done=result.done, refused=result.refused and to_problem(result.refused))


def _check_consent(query: RetryAllQuery) -> None:
    if query.code is Code.WORKER_LOST and not query.include_poison:
        raise InvalidRequest("include_poison", "must be true for worker_lost: these turns probably end their workers")
