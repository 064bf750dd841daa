"""The routes of failed turns: list the unresolved ones, and retry one."""

from flask import Blueprint, Response

from turns.domain.errors import AssistantNotFound, TurnNotFound
from turns.jobs.failed_turns import FailedTurns
from web.http.responses import reply, reply_turn
from web.openapi.operation import RESUBMITTED, Operation, ResponseSpec
from web.schemas import responses
from web.schemas.operator.jobs import FailedQuery
from web.schemas.operator.responses import FailedTurn
from web.schemas.response_model import GatheredPage
from web.security.audit import audit


def build_operator_failed(failed: FailedTurns) -> Blueprint:
    api = Blueprint("operator_failed", __name__)

    @Operation(
        id="list_failed",
        method="get",
        path="/operator/failed",
        summary="List the unresolved failed turns of all tenants, newest first",
        query=FailedQuery,
        responses={200: ResponseSpec("A page", GatheredPage[FailedTurn, str])},
    ).on(api)
    def list_failed(query: FailedQuery) -> Response:
        page = failed.list_failed(conditions=query.to_filter(), after=query.after, limit=query.limit)
        return reply(GatheredPage[FailedTurn, str].of(page.turns, page.after))

    @Operation(
        id="retry_failed",
        method="post",
        path="/operator/failed/{turn_id}/retry",
        summary="Retry a failed turn as a new last turn of its session, which resolves it",
        responses={202: ResponseSpec("The new turn", responses.Turn, headers=("Retry-After",))},
        refusals=(TurnNotFound, AssistantNotFound, *RESUBMITTED),
    ).on(api)
    def retry_failed(turn_id: str) -> Response:
        turn = failed.retry_failed(failed.find_failed(turn_id)).turn
        audit("retry", turn_id, tenant=turn.tenant)
        return reply_turn(turn, 202)

    return api
