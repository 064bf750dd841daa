"""The route with which operators let the turns of a model start that are kept from it."""

from flask import Blueprint, Response

from turns.operations.actions import OperatorActions
from turns.operations.queries import OperatorQueries
from web.http.responses import reply
from web.openapi.operation import Operation, ResponseSpec
from web.routes.service_status import service_status
from web.schemas.queries import HoldQuery
from web.schemas.service import ServiceStatus
from web.security.audit import audit


def build_operator_holds(actions: OperatorActions, queries: OperatorQueries) -> Blueprint:
    api = Blueprint("operator_holds", __name__)

    @Operation(
        id="lift_hold",
        method="post",
        path="/operator/holds/lift",
        summary="Let the turns that wait for a model start, oldest first; without a hold nothing happens",
        query=HoldQuery,
        responses={200: ResponseSpec("The state of the service after the change", ServiceStatus)},
    ).on(api)
    def lift_hold(query: HoldQuery) -> Response:
        actions.lift_hold(query.name)
        audit("lift_hold", query.name)
        return reply(service_status(queries))

    return api
