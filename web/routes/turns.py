"""The routes of turns. Each parses, makes one call and renders."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from flask import Blueprint, Response, g, request

from turns.config.logs import Log, get_logger
from turns.config.tracing import span
from turns.domain.assistant import Assistant
from turns.domain.errors import InvalidRequest, Refused, TurnExpired, TurnNotFound
from turns.domain.ids import session_key
from turns.store.acceptance import Accepted
from turns.store.turns import TurnStore
from web.http.preferences import preferred_wait
from web.http.problems import to_problem
from web.http.responses import check_accept, read_json_body, reply, reply_empty, reply_turn, with_etag
from web.http.validation import parse_batch, parse_idempotency_key, parse_query, parse_submit, to_request
from web.schemas import responses, serializers
from web.schemas.requests import EventsQuery, NoQuery, TurnsQuery, WaitQuery
from web.security.auth import Authenticator
from web.streaming.long_poll import LongPolls
from web.streaming.sse import EventStreams

# The largest valid body is an input of 32 KiB and its variables, each character escaped to six.
MAX_SUBMIT_BYTES = 1024 * 1024
MAX_BATCH_BYTES = 8 * 1024 * 1024
EVENT_STREAM = "text/event-stream"


def build_turns(store: TurnStore, long_polls: LongPolls, find: Callable[[str], Assistant]) -> Blueprint:
    api = Blueprint("turns", __name__)
    api.before_request(check_accept)

    @api.post("/v1/turns")
    def submit() -> Response:
        parse_query(NoQuery, request.args.items(multi=True))
        with span("POST /v1/turns", parent=request.headers.get("traceparent"), kind="SERVER") as traceparent:
            asked = parse_submit(
                read_json_body(most_bytes=MAX_SUBMIT_BYTES),
                find=find,
                idempotency_key=request.headers.get("Idempotency-Key"),
                traceparent=traceparent,
                tenant=g.caller.tenant,
            )
            accepted = store.accept(asked)
        return _accepted(accepted, long_polls)

    @api.post("/v1/turns/batch")
    def submit_batch() -> Response:
        parse_query(NoQuery, request.args.items(multi=True))
        key = parse_idempotency_key(request.headers.get("Idempotency-Key"))
        asked = parse_batch(read_json_body(most_bytes=MAX_BATCH_BYTES))
        data = tuple(_item(store, find, given, f"{key}\n{n}" if key else None) for n, given in enumerate(asked))
        return reply(responses.Batch(data=data))

    @api.get("/v1/turns")
    def list_turns() -> Response:
        query = parse_query(TurnsQuery, request.args.items(multi=True))
        if query.user_id and not query.session_id:
            raise InvalidRequest("user_id", "goes with a session_id")
        tenant = g.caller.tenant
        session = session_key(query.session_id, query.user_id, tenant) if query.session_id else None
        page = store.list_turns(
            tenant=tenant, session=session, status=query.status, after=query.after, limit=query.limit
        )
        turns = tuple(map(serializers.to_turn, page.turns))
        return reply(responses.Page[responses.Turn, str](data=turns, has_more=page.after is not None, after=page.after))

    @api.get("/v1/turns/<turn_id>", endpoint="read_turn")
    @api.get("/v1/tasks/<turn_id>", endpoint="read_task")
    def read(turn_id: str) -> Response:
        query = parse_query(WaitQuery, request.args.items(multi=True))
        preferred = None if "wait" in request.args else preferred_wait(request.headers.get("Prefer", ""))
        wait_seconds = query.wait if preferred is None else preferred
        turn = long_polls.wait_for_turn(turn_id, tenant=g.caller.tenant, wait_seconds=wait_seconds)
        return with_etag(_applied(reply_turn(turn), preferred))

    @api.post("/v1/turns/<turn_id>/cancel")
    def cancel(turn_id: str) -> Response:
        parse_query(NoQuery, request.args.items(multi=True))
        turn = store.cancel(turn_id, tenant=g.caller.tenant)
        get_logger().info(Log.TURN_CANCELLED, turn_id=turn_id, status=turn.status)
        return reply_turn(turn)

    @api.post("/v1/turns/<turn_id>/retry")
    def retry(turn_id: str) -> Response:
        parse_query(NoQuery, request.args.items(multi=True))
        key = parse_idempotency_key(request.headers.get("Idempotency-Key"))
        again = store.retry_failed(turn_id, find=find, tenant=g.caller.tenant, idempotency_key=key)
        return _accepted(again, long_polls)

    return api


def build_streams(streams: EventStreams, authenticator: Authenticator) -> Blueprint:
    api = Blueprint("streams", __name__)

    @api.get("/v1/turns/<turn_id>/events")
    def events(turn_id: str) -> Response:
        check_accept(EVENT_STREAM)
        query = parse_query(EventsQuery, request.args.items(multi=True))
        seen = request.headers.get("Last-Event-ID")
        if seen is not None:
            seen = parse_query(EventsQuery, [("after", seen)]).after
        key = request.headers.get("Authorization")
        told = streams.open(
            turn_id,
            tenant=g.caller.tenant,
            after=seen or query.after,
            authenticate=lambda: authenticator.authenticate(key),
        )
        if told is None:
            return reply_empty()  # a browser that came again after the end stops asking
        headers = {"X-Accel-Buffering": "no"}  # proxies pass on each event as it comes
        return Response(told, content_type=EVENT_STREAM, headers=headers)

    return api


def _accepted(accepted: Accepted, long_polls: LongPolls) -> Response:
    """202, or 200 if the turn has ended within the time for which the caller prefers to wait."""
    turn = accepted.turn
    get_logger().info(Log.TURN_ACCEPTED, turn_id=turn.id, replayed=accepted.replayed)
    preferred = preferred_wait(request.headers.get("Prefer", ""))
    if preferred is not None:
        with suppress(TurnNotFound, TurnExpired):  # its session was erased meanwhile; it was accepted all the same
            turn = long_polls.wait_for_turn(turn.id, tenant=turn.tenant, wait_seconds=preferred)
    response = _applied(reply_turn(turn, 200 if preferred is not None and turn.status.is_terminal else 202), preferred)
    response.headers["Location"] = f"/v1/turns/{turn.id}"
    if accepted.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def _applied(response: Response, preferred: int | None) -> Response:
    response.headers["Vary"] = "Prefer"
    if preferred is not None:
        response.headers["Preference-Applied"] = f"wait={preferred}"
    return response


def _item(
    store: TurnStore, find: Callable[[str], Assistant], given: dict[str, Any], key: str | None
) -> responses.AcceptedItem | responses.RefusedItem:
    try:
        accepted = store.accept(
            to_request(
                given,
                find=find,
                idempotency_key=key,
                traceparent=request.headers.get("traceparent"),
                tenant=g.caller.tenant,
            )
        )
    except Refused as error:
        problem = to_problem(error)
        return responses.RefusedItem(status=problem.status, problem=problem)
    get_logger().info(Log.TURN_ACCEPTED, turn_id=accepted.turn.id, replayed=accepted.replayed)
    return responses.AcceptedItem(turn=serializers.to_turn(accepted.turn))
