"""The routes with which operators act on workers."""

from flask import Blueprint, Response

from turns.domain.errors import WorkerAlive, WorkerNotFound
from turns.operations.actions import OperatorActions
from turns.operations.queries import OperatorQueries
from web.http.responses import reply, reply_empty
from web.openapi.operation import Operation, ResponseSpec
from web.routes.service_status import service_status
from web.schemas.operator import responses as schema
from web.schemas.queries import CancelQuery
from web.schemas.service import ServiceStatus
from web.security.audit import audit


def build_operator_actions(actions: OperatorActions, queries: OperatorQueries) -> Blueprint:
    api = Blueprint("operator_actions", __name__)

    @Operation(
        id="status",
        method="get",
        path="/operator/status",
        summary="Get the state of the service",
        responses={200: ResponseSpec("The main numbers, and what is paused", ServiceStatus)},
    ).on(api)
    def status() -> Response:
        return reply(service_status(queries))

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

    @Operation(
        id="rescue_worker",
        method="post",
        path="/operator/workers/{worker}/rescue",
        summary="Take the turns of a silent worker away, so that other workers run them now",
        query=CancelQuery,
        responses={200: ResponseSpec("The number of turns that were taken away", schema.BulkResult)},
        refusals=(WorkerNotFound, WorkerAlive),
    ).on(api)
    def rescue_worker(worker: str, query: CancelQuery) -> Response:
        count = actions.rescue_worker(worker)
        audit("rescue_worker", worker, count=count, reason=query.reason)
        return reply(schema.BulkResult(done=count))

    return api
