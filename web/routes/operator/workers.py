"""The route with which operators list the processes of the installation."""

from flask import Blueprint, Response

from turns.operations.queries import OperatorQueries
from web.http.responses import reply
from web.openapi.operation import Operation, ResponseSpec
from web.schemas.operator import responses as schema


def build_operator_workers(queries: OperatorQueries) -> Blueprint:
    api = Blueprint("operator_workers", __name__)

    @Operation(
        id="list_workers",
        method="get",
        path="/operator/workers",
        summary="List the workers and the processes of the endpoint, also those that ended in the last 15 minutes",
        responses={200: ResponseSpec("The workers that run come first", schema.Processes)},
    ).on(api)
    def list_workers() -> Response:
        workers, web = queries.read_processes()
        return reply(schema.Processes(data=workers, web_processes=web))

    return api
