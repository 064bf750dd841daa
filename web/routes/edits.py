"""The routes that change what a session has committed."""

from urllib.parse import quote

from flask import Blueprint, Response, g, request

from turns.config.logs import Log, get_logger
from turns.domain.assistant import Lane
from turns.domain.errors import (
    AssistantNotFound,
    IdempotencyKeyReused,
    IntakePaused,
    InvalidRequest,
    SessionBusy,
    SessionChanged,
    SessionNotEmpty,
    SessionNotFound,
    StoreUnsafe,
    TurnNotCommitted,
    TurnNotLast,
)
from turns.domain.turn_request import OnBusy
from turns.edits.deletion import Deletion
from turns.edits.forks import Forks, Source
from turns.edits.regeneration import Changes, Fork, Origin, Regeneration
from web.http.request_span import get_traceparent
from web.http.responses import read_optional_json_body, reply_empty
from web.http.session_versions import read_if_match, reply_session
from web.http.turn_requests import parse_traceparent
from web.http.validation import parse_body, parse_id, parse_idempotency_key
from web.openapi.operation import QUOTA, RESUBMITTED, Operation, ResponseSpec
from web.routes.turns import ACCEPTED, ESCAPED_BYTES, MAX_OTHER_BYTES, MISSING, reply_accepted
from web.schemas import responses
from web.schemas.edits import ForkBody, RegenerateBody, regenerate_body
from web.schemas.links import link
from web.schemas.queries import SessionQuery
from web.security.token_bounds import check_new_session, may_begin_sessions
from web.streaming.long_poll import LongPolls


def build_edits(
    regeneration: Regeneration, forks: Forks, deletion: Deletion, long_polls: LongPolls, *, max_input_bytes: int
) -> Blueprint:
    api = Blueprint("edits", __name__)
    model = regenerate_body(max_input_bytes)
    max_body_bytes = ESCAPED_BYTES * max_input_bytes + MAX_OTHER_BYTES

    @Operation(
        id="regenerate",
        method="post",
        path="/v1/turns/{turn_id}/regenerate",
        summary="Answer a committed question again, or another one in its place; an earlier one in a new session",
        body=model,
        requires_body=False,
        headers=("Idempotency-Key", "If-Match", "Prefer", "traceparent"),
        responses=ACCEPTED,
        refusals=(
            *MISSING,
            AssistantNotFound,
            TurnNotCommitted,
            TurnNotLast,
            SessionNotEmpty,
            SessionBusy,
            SessionChanged,
            *RESUBMITTED,
        ),
        takes_tokens=True,
    ).on(api)
    def regenerate(turn_id: str) -> Response:
        changes = _to_changes(parse_body(model, read_optional_json_body(max_bytes=max_body_bytes)))
        return reply_accepted(regeneration.regenerate(turn_id, changes, _origin()), long_polls)

    @Operation(
        id="fork",
        method="post",
        path="/v1/sessions/{session_id}/fork",
        summary="Begin a new session with the committed messages of another one, up to a turn",
        query=SessionQuery,
        body=ForkBody,
        requires_body=False,
        headers=("Idempotency-Key",),
        responses={
            201: ResponseSpec("The new session", responses.Session, headers=("ETag", "Location")),
            200: ResponseSpec(
                "The session, which this request has forked before", responses.Session, headers=("ETag",)
            ),
        },
        refusals=(
            SessionNotFound,
            *MISSING,
            TurnNotCommitted,
            SessionNotEmpty,
            IdempotencyKeyReused,
            *QUOTA,
            IntakePaused,
            StoreUnsafe,
        ),
        takes_tokens=True,
    ).on(api)
    def fork(session_id: str, query: SessionQuery) -> Response:
        check_new_session()
        body = parse_body(ForkBody, read_optional_json_body(max_bytes=MAX_OTHER_BYTES))
        source, key = _to_source(session_id, query, body), parse_idempotency_key(request.headers.get("Idempotency-Key"))
        forked = forks.fork(source, body.session_id, idempotency_key=key)
        get_logger().info(Log.SESSION_FORKED, session=source.session, replayed=forked.replayed)
        response = reply_session(forked.session, 200 if forked.replayed else 201)
        user = f"?user_id={quote(source.user_id, safe='')}" if source.user_id else ""
        response.headers["Location"] = link(f"/v1/sessions/{quote(forked.session.session_id, safe='')}{user}")
        return response

    @Operation(
        id="delete_turn",
        method="delete",
        path="/v1/turns/{turn_id}",
        summary="Delete the last turn in the history of an idle session, or one without messages, with its result",
        responses={204: ResponseSpec("The turn does not exist any more")},
        refusals=(*MISSING, SessionBusy, TurnNotLast),
        takes_tokens=True,
    ).on(api)
    def delete_turn(turn_id: str) -> Response:
        deletion.delete(turn_id, tenant=g.caller.tenant)
        get_logger().info(Log.TURN_DELETED, turn_id=turn_id)
        return reply_empty()

    return api


def _to_source(session_id: str, query: SessionQuery, body: ForkBody) -> Source:
    if body.through_turn and body.before_turn:
        raise InvalidRequest("before_turn", "cannot be combined with through_turn")
    return Source(
        session_id=parse_id("session_id", session_id),
        user_id=query.user_id,
        tenant=g.caller.tenant,
        turn_id=body.through_turn or body.before_turn,
        before=body.before_turn is not None,
    )


def _to_changes(body: RegenerateBody) -> Changes:
    lane, fork = Lane(body.lane) if body.lane else None, Fork(body.fork)
    if fork is Fork.NEVER and body.session_id:
        raise InvalidRequest("session_id", "names a fork, so it cannot be combined with fork=never")
    if fork is Fork.IF_EARLIER and not may_begin_sessions():
        fork = Fork.NEVER
    if fork is Fork.ALWAYS:
        check_new_session()
    return Changes(**{**body.model_dump(), "on_busy": OnBusy(body.on_busy), "lane": lane, "fork": fork})


def _origin() -> Origin:
    return Origin(
        tenant=g.caller.tenant,
        idempotency_key=parse_idempotency_key(request.headers.get("Idempotency-Key")),
        request_id=g.request_id,
        key_id=g.caller.key_id,
        traceparent=parse_traceparent(get_traceparent()),
        if_version=read_if_match(),
    )
