"""The routes with which operators cancel turns of any tenant."""

from flask import Blueprint, Response

from turns.domain.errors import SessionNotFound, TurnNotFound
from turns.domain.ids import session_key
from turns.operations.actions import OperatorActions
from turns.operations.queries import OperatorQueries
from web.http.responses import reply
from web.openapi.operation import Operation, ResponseSpec
from web.schemas.operator import responses as schema
from web.schemas.queries import CancelQuery, CancelSessionQuery
from web.security.audit import audit


def build_operator_cancellations(actions: OperatorActions, queries: OperatorQueries) -> Blueprint:
    api = Blueprint("operator_cancellations", __name__)

    @Operation(
        id="operator_cancel",
        method="post",
        path="/operator/turns/{turn_id}/cancel",
        summary="Cancel a live turn of any tenant; an ended one stays as it is",
        query=CancelQuery,
        responses={200: ResponseSpec("The timeline of the turn after that", schema.Timeline)},
        refusals=(TurnNotFound,),
    ).on(api)
    def operator_cancel(turn_id: str, query: CancelQuery) -> Response:
        turn = queries.read_timeline(turn_id).turn
        actions.cancel_turn(turn)
        audit("cancel", turn_id, tenant=turn.tenant, reason=query.reason)
        return reply(schema.Timeline.model_validate(queries.read_timeline(turn_id)))

    @Operation(
        id="operator_cancel_session",
        method="post",
        path="/operator/session/cancel",
        summary="Cancel all live turns of a session of any tenant",
        query=CancelSessionQuery,
        responses={200: ResponseSpec("The number of cancelled turns", schema.BulkResult)},
        refusals=(SessionNotFound,),
    ).on(api)
    def operator_cancel_session(query: CancelSessionQuery) -> Response:
        session = session_key(query.session_id, query.user_id, query.tenant)
        count = actions.cancel_session(session)
        audit("cancel_session", session, tenant=query.tenant, reason=query.reason, count=count)
        return reply(schema.BulkResult(done=count))

    return api
