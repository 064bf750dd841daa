"""The route that streams the events of a turn."""

from flask import Blueprint, Response, g, request

from turns.domain.errors import StreamsFull, TurnExpired, TurnNotFound
from web.http.responses import EVENT_STREAM, reply_empty
from web.http.validation import parse_query
from web.openapi.operation import Operation, ResponseSpec
from web.schemas.requests import EventsQuery
from web.security.auth import Authenticator, sent_authorization
from web.streaming.sse import EventStreams


def build_streams(streams: EventStreams, authenticator: Authenticator) -> Blueprint:
    api = Blueprint("streams", __name__)

    @Operation(
        id="watch_turn",
        method="get",
        path="/v1/turns/{turn_id}/events",
        summary="Stream the events of a turn while its answer is being written",
        query=EventsQuery,
        headers=("Last-Event-ID",),
        responses={
            200: ResponseSpec("Server-sent events, until `done`", kind=EVENT_STREAM),
            204: ResponseSpec("The turn has ended, and the caller has seen all of its events"),
        },
        refusals=(TurnNotFound, TurnExpired, StreamsFull),
        takes_tokens=True,
    ).on(api)
    def watch_turn(turn_id: str, query: EventsQuery) -> Response:
        after = query.after
        if (last_event_id := request.headers.get("Last-Event-ID")) is not None:
            after = parse_query(EventsQuery, [("after", last_event_id)]).after
        authorization = sent_authorization(request)
        events = streams.open_stream(
            turn_id,
            tenant=g.caller.tenant,
            after=after,
            authenticate=lambda: authenticator.authenticate(authorization),
        )
        if events is None:
            return reply_empty()  # for 204 a browser's EventSource does not reconnect
        headers = {"X-Accel-Buffering": "no"}  # nginx would otherwise hold the events back
        return Response(events, content_type=EVENT_STREAM, headers=headers)

    return api
