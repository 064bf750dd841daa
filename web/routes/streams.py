"""The routes that stream events: those of a turn, and those of all turns of a session."""

from collections.abc import Iterator

from flask import Blueprint, Response, g, request

from turns.domain.errors import SessionNotFound, StreamsFull, TurnExpired, TurnNotFound
from turns.domain.ids import session_key
from web.http.responses import EVENT_STREAM, reply_empty
from web.http.validation import parse_id, parse_query
from web.openapi.operation import Operation, ResponseSpec
from web.schemas.events.session import SESSION_EVENTS
from web.schemas.events.turn import TURN_EVENTS
from web.schemas.queries import EventsQuery, FeedQuery, SessionEventsQuery
from web.security.auth import Authenticator, keep_authenticating
from web.streaming.session_stream import SessionStreams
from web.streaming.sse import EventStreams


def build_streams(streams: EventStreams, session_streams: SessionStreams, authenticator: Authenticator) -> Blueprint:
    api = Blueprint("streams", __name__)

    @Operation(
        id="watch_turn",
        method="get",
        path="/v1/turns/{turn_id}/events",
        summary="Stream the events of a turn while its answer is being written",
        query=EventsQuery,
        headers=("Last-Event-ID",),
        responses={
            200: ResponseSpec("Server-sent events, until `done`", kind=EVENT_STREAM, events=TURN_EVENTS),
            204: ResponseSpec("The turn has ended, and the caller has seen all of its events"),
        },
        refusals=(TurnNotFound, TurnExpired, StreamsFull),
        takes_tokens=True,
    ).on(api)
    def watch_turn(turn_id: str, query: EventsQuery) -> Response:
        events = streams.open_stream(
            turn_id,
            tenant=g.caller.tenant,
            after=last_event_id(EventsQuery) or query.after,
            authenticate=keep_authenticating(authenticator),
        )
        return reply_stream(events)

    @Operation(
        id="watch_session",
        method="get",
        path="/v1/sessions/{session_id}/events",
        summary="Stream the events of all turns of a session",
        query=SessionEventsQuery,
        headers=("Last-Event-ID",),
        responses={
            200: ResponseSpec(
                "Server-sent events, beginning with `snapshot` unless resumed", kind=EVENT_STREAM, events=SESSION_EVENTS
            ),
            204: ResponseSpec("With `until=idle`: no turn is live, and the caller has seen all events"),
        },
        refusals=(SessionNotFound, StreamsFull),
        takes_tokens=True,
    ).on(api)
    def watch_session(session_id: str, query: SessionEventsQuery) -> Response:
        events = session_streams.open_stream(
            session_key(parse_id("session_id", session_id), query.user_id, g.caller.tenant),
            session_id=session_id,
            after=last_event_id(SessionEventsQuery) or query.after,
            until_idle=query.until == "idle",
            authenticate=keep_authenticating(authenticator),
        )
        return reply_stream(events)

    return api


def last_event_id(model: type[EventsQuery] | type[SessionEventsQuery] | type[FeedQuery]) -> str | None:
    """Return the header with which a browser reconnects, which has the rule of `after`."""
    sent = request.headers.get("Last-Event-ID")
    return None if sent is None else parse_query(model, [("after", sent)]).after


def reply_stream(events: Iterator[bytes] | None) -> Response:
    """Reply with server-sent events, or with 204 without any."""
    if events is None:
        return reply_empty()  # for 204 a browser's EventSource does not reconnect
    headers = {"X-Accel-Buffering": "no"}  # nginx would otherwise hold the events back
    return Response(events, content_type=EVENT_STREAM, headers=headers)
