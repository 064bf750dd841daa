"""The routes of operators: the service's switches, its numbers, and the turns that have failed, of all tenants."""

from flask import Blueprint, Response, request

from turns.domain.errors import InvalidRequest
from turns.operations.actions import BulkResult, OperatorActions, Switch
from turns.operations.queries import OperatorQueries
from web.http.problems import to_problem
from web.http.responses import check_accept, reply, reply_empty, reply_turn
from web.http.validation import parse_query
from web.routes.service_status import service_status
from web.schemas import operator_responses, responses, serializers
from web.schemas.requests import CodeQuery, FailedQuery, NoQuery
from web.security.audit import audit


def build_operator(operations: OperatorActions, overview: OperatorQueries) -> Blueprint:
    api = Blueprint("operator", __name__)
    api.before_request(check_accept)

    @api.get("/operator/status")
    def status() -> Response:
        parse_query(NoQuery, request.args.items(multi=True))
        return reply(service_status(operations, overview))

    @api.post("/operator/pause/<switch>")
    def pause(switch: str) -> Response:
        parse_query(NoQuery, request.args.items(multi=True))
        operations.pause(_switch(switch))
        audit("pause", switch)
        return reply(service_status(operations, overview))

    @api.post("/operator/resume/<switch>")
    def resume(switch: str) -> Response:
        parse_query(NoQuery, request.args.items(multi=True))
        operations.resume(_switch(switch))
        audit("resume", switch)
        return reply(service_status(operations, overview))

    @api.get("/operator/failed")
    def list_failed() -> Response:
        query = parse_query(FailedQuery, request.args.items(multi=True))
        page = operations.failed(code=query.code, after=query.after, limit=query.limit)
        data = tuple(map(serializers.to_failed, page.turns))
        return reply(
            responses.Page[responses.FailedTurn, int](data=data, has_more=page.after is not None, after=page.after)
        )

    @api.post("/operator/failed/retry")
    def retry_all_failed() -> Response:
        query = parse_query(CodeQuery, request.args.items(multi=True))
        dealt = operations.retry_all(query.code, count=query.count)
        audit("retry_all", query.code, count=dealt.done)
        return reply(_dealt(dealt))

    @api.post("/operator/failed/discard")
    def discard_all_failed() -> Response:
        query = parse_query(CodeQuery, request.args.items(multi=True))
        dealt = operations.discard_all(query.code, count=query.count)
        audit("discard_all", query.code, count=dealt.done)
        return reply(_dealt(dealt))

    @api.post("/operator/failed/<turn_id>/retry")
    def retry_failed(turn_id: str) -> Response:
        parse_query(NoQuery, request.args.items(multi=True))
        again = operations.retry(operations.find_failed(turn_id)).turn
        audit("retry", turn_id)
        return reply_turn(again, 202)

    @api.post("/operator/failed/<turn_id>/discard")
    def discard_failed(turn_id: str) -> Response:
        parse_query(NoQuery, request.args.items(multi=True))
        operations.discard(operations.find_failed(turn_id))
        audit("discard", turn_id)
        return reply_empty()

    @api.post("/operator/workers/<worker>/drain")
    def drain(worker: str) -> Response:
        parse_query(NoQuery, request.args.items(multi=True))
        operations.drain(worker)
        audit("drain", worker)
        return reply_empty()

    return api


def _dealt(dealt: BulkResult) -> operator_responses.BulkResult:
    refused = dealt.refused and to_problem(dealt.refused)
    return operator_responses.BulkResult(done=dealt.done, refused=refused)


def _switch(name: str) -> Switch:
    try:
        return Switch(name)
    except ValueError:
        raise InvalidRequest("switch", f"must be one of {', '.join(Switch)}") from None
