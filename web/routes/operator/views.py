"""The routes with which operators read: numbers, live turns, one turn, one session."""

from flask import Blueprint, Response, g

from turns.config.version import VERSION
from turns.domain.error_codes import Code
from turns.domain.errors import SessionNotFound, TurnNotFound
from turns.domain.ids import session_key
from turns.jobs.failed_turns import FailedTurns
from turns.operations.queries import OperatorQueries
from turns.operations.time_series import RESOLUTIONS
from turns.operations.verdict import evaluate
from turns.search.search import Search
from web.http.responses import reply
from web.openapi.operation import Operation, ResponseSpec
from web.routes.service_status import service_status
from web.schemas.operator import responses as schema
from web.schemas.queries import SessionQueueQuery, StatsQuery
from web.security.audit import audit_disclosure


def build_operator_views(queries: OperatorQueries, search: Search, failed: FailedTurns) -> Blueprint:
    api = Blueprint("operator_views", __name__)

    @Operation(
        id="stats",
        method="get",
        path="/operator/stats.json",
        summary="Get all numbers of the page `/operator`: current, recent and over time",
        query=StatsQuery,
        responses={200: ResponseSpec("The numbers", schema.Stats)},
    ).on(api)
    def stats(query: StatsQuery) -> Response:
        return reply(_stats(queries, failed, int(query.minutes)))

    @Operation(
        id="timeline",
        method="get",
        path="/operator/turns/{turn_id}",
        summary="Get the timeline of a turn",
        responses={200: ResponseSpec("Its timestamps and runs, without message text", schema.Timeline)},
        refusals=(TurnNotFound,),
    ).on(api)
    def timeline(turn_id: str) -> Response:
        return reply(schema.Timeline.model_validate(queries.read_timeline(turn_id)))

    @Operation(
        id="turn_text",
        method="get",
        path="/operator/turns/{turn_id}/text",
        summary="Get the message text of a turn; the access is recorded in the audit log",
        responses={200: ResponseSpec("The input, and the output if there is one", schema.TurnText)},
        refusals=(TurnNotFound,),
    ).on(api)
    def turn_text(turn_id: str) -> Response:
        turn = queries.read_timeline(turn_id).turn
        audit_disclosure("read_text", turn_id, tenant=turn.tenant)
        return reply(schema.TurnText(id=turn.id, input=turn.input, output=turn.output))

    @Operation(
        id="session_queue",
        method="get",
        path="/operator/session",
        summary="List the live turns of a session, the reasons why the first one waits, and the last turns",
        query=SessionQueueQuery,
        responses={200: ResponseSpec("The turns; the most important reason comes first", schema.SessionQueue)},
        refusals=(SessionNotFound,),
    ).on(api)
    def session_queue(query: SessionQueueQuery) -> Response:
        session = session_key(query.session_id, query.user_id, query.tenant)
        queue = queries.read_session_queue(session)
        return reply(schema.SessionQueue(turns=queue.turns, why=queue.why, last=search.list_session_turns(session)))

    return api


def _stats(queries: OperatorQueries, failed: FailedTurns, minutes: int) -> schema.Stats:
    failed_by_code = failed.count_failed()
    facts = queries.read_facts(lost_turns=failed_by_code.get(Code.WORKER_LOST, 0))
    return schema.Stats(
        **dict(service_status(queries)),
        version=VERSION,
        pauses=facts.pauses,
        findings=evaluate(facts),
        store_refusal=facts.health.refusal or None,
        may_act=g.caller.may_act,
        may_manage_keys=g.caller.may_manage_keys,
        running_turns=facts.running_turns,
        held_turns={reason: number for reason, number in facts.held.items() if number},
        oldest_unanswered_seconds=facts.oldest_unanswered_seconds,
        recent=facts.recent,
        failed_by_code=failed_by_code,
        workers=[worker for worker in facts.workers if not worker.is_gone],
        minutes=minutes,
        step_minutes=RESOLUTIONS[minutes],
        series=queries.read_series(minutes),
    )
