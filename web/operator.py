"""The routes of operators: the service's switches, its numbers, and the turns that have failed, of all tenants."""

from flask import Blueprint, Response, g, request

from turns.errors import InvalidRequest
from turns.logs import Log, get_logger
from turns.operating import Operations, Switch
from turns.store import TurnStore
from web import schema, showing
from web.bodies import FailedQuery, NoQuery
from web.parsing import parse_query
from web.replying import check_accept, reply, reply_empty, reply_turn


def build_operator(operations: Operations, store: TurnStore) -> Blueprint:
    api = Blueprint("operator", __name__)
    api.before_request(check_accept)

    @api.get("/operator/status")
    def status() -> Response:
        parse_query(NoQuery, request.args.items(multi=True))
        return reply(_status(operations, store))

    @api.post("/operator/pause/<switch>")
    def pause(switch: str) -> Response:
        parse_query(NoQuery, request.args.items(multi=True))
        operations.pause(_switch(switch))
        _audit("pause", switch)
        return reply(_status(operations, store))

    @api.post("/operator/resume/<switch>")
    def resume(switch: str) -> Response:
        parse_query(NoQuery, request.args.items(multi=True))
        operations.resume(_switch(switch))
        _audit("resume", switch)
        return reply(_status(operations, store))

    @api.get("/operator/failed")
    def list_failed() -> Response:
        query = parse_query(FailedQuery, request.args.items(multi=True))
        page = operations.failed(code=query.code, after=query.after, limit=query.limit)
        data = tuple(map(showing.to_failed, page.turns))
        return reply(schema.Page[schema.FailedTurn, int](data=data, has_more=page.after is not None, after=page.after))

    @api.post("/operator/failed/<turn_id>/retry")
    def retry_failed(turn_id: str) -> Response:
        parse_query(NoQuery, request.args.items(multi=True))
        again = operations.retry(operations.find_failed(turn_id)).turn
        _audit("retry", turn_id)
        return reply_turn(again, 202)

    @api.post("/operator/failed/<turn_id>/discard")
    def discard_failed(turn_id: str) -> Response:
        parse_query(NoQuery, request.args.items(multi=True))
        operations.discard(operations.find_failed(turn_id))
        _audit("discard", turn_id)
        return reply_empty()

    return api


def _status(operations: Operations, store: TurnStore) -> schema.ServiceStatus:
    gauges = store.metrics().gauges
    return schema.ServiceStatus(
        paused={switch: showing.to_instant(since) for switch, since in operations.paused().items()},
        live_turns=int(gauges["live_turns"]),
        waiting_turns=int(gauges["waiting_turns"]),
        oldest_waiting_seconds=gauges["oldest_waiting_seconds"],
        live_workers=int(gauges["live_workers"]),
        failed_turns=int(gauges["failed_turns"]),
    )


def _switch(name: str) -> Switch:
    try:
        return Switch(name)
    except ValueError:
        raise InvalidRequest("switch", f"must be one of {', '.join(Switch)}") from None


def _audit(action: str, what: str) -> None:
    get_logger().info(Log.OPERATOR_ACTED, action=action, what=what, key_id=g.caller.key_id)
