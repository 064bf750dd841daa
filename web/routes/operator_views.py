"""The routes that show operators what the service does: numbers, live turns, one turn, one session. None changes it."""

from flask import Blueprint, Response, g, request

from turns.config.version import VERSION
from turns.domain.ids import session_key
from turns.operations.actions import OperatorActions
from turns.operations.live_turns import LiveTurn
from turns.operations.queries import OperatorQueries
from turns.operations.time_series import STEPS
from web.http.responses import check_accept, reply
from web.http.validation import parse_query
from web.routes.service_status import service_status
from web.schemas import operator_responses as schema
from web.schemas import operator_serializers as showing
from web.schemas.requests import LiveQuery, NoQuery, SessionQueueQuery, StatsQuery
from web.security.audit import audit


def build_overview(overview: OperatorQueries, operations: OperatorActions) -> Blueprint:
    api = Blueprint("overview", __name__)
    api.before_request(check_accept)

    @api.get("/operator/stats.json")
    def stats() -> Response:
        query = parse_query(StatsQuery, request.args.items(multi=True))
        return reply(_stats(overview, operations, int(query.minutes)))

    @api.get("/operator/turns")
    def live_turns() -> Response:
        query = parse_query(LiveQuery, request.args.items(multi=True))
        heads = overview.heads()
        found = [head for head in heads.heads if _fits(head, query)]
        return reply(showing.to_live_turns(found, limit=query.limit, is_complete=heads.is_complete))

    @api.get("/operator/turns/<turn_id>")
    def timeline(turn_id: str) -> Response:
        parse_query(NoQuery, request.args.items(multi=True))
        return reply(showing.to_timeline(overview.timeline(turn_id)))

    @api.get("/operator/turns/<turn_id>/text")
    def text(turn_id: str) -> Response:
        parse_query(NoQuery, request.args.items(multi=True))
        turn = overview.timeline(turn_id).turn
        audit("read_text", turn_id)
        return reply(schema.TurnText(id=turn.id, input=turn.input, output=turn.output))

    @api.get("/operator/session")
    def session_queue() -> Response:
        query = parse_query(SessionQueueQuery, request.args.items(multi=True))
        session = session_key(query.session_id, query.user_id, query.tenant)
        return reply(showing.to_session_queue(overview.queue(session)))

    return api


def _stats(overview: OperatorQueries, operations: OperatorActions, minutes: int) -> schema.Stats:
    workers = overview.workers()
    return schema.Stats(
        **dict(service_status(operations, overview)),
        version=VERSION,
        may_act=g.caller.may_act,
        running_turns=sum(len(worker.running) for worker in workers),
        recent=showing.to_stats_point(overview.recent()),
        failed_by_code=operations.count_failed(),
        workers=tuple(map(showing.to_worker, workers)),
        minutes=minutes,
        step_minutes=STEPS[minutes],
        series=tuple(map(showing.to_stats_point, overview.series(minutes))),
    )


def _fits(head: LiveTurn, query: LiveQuery) -> bool:
    names = (head.id, head.session_id, head.user_id or "")
    return (
        (query.status is None or head.status == query.status)
        and (query.tenant is None or head.tenant == query.tenant)
        and (query.worker is None or head.worker == query.worker)
        and any(query.text in name for name in names)
    )
