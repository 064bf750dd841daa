"""The route of the feed of ended turns."""

from flask import Blueprint, Response, g, request

from turns.domain.errors import StreamsFull
from web.http.responses import EVENT_STREAM, JSON, reply
from web.openapi.operation import Operation, ResponseSpec
from web.routes.streams import last_event_id, reply_stream
from web.schemas.events.feed import FEED_EVENTS, EndedTurns
from web.schemas.queries import FeedQuery
from web.security.auth import Authenticator, keep_authenticating
from web.streaming.ended_feed import EndedFeed


def build_feed(feed: EndedFeed, authenticator: Authenticator) -> Blueprint:
    api = Blueprint("feed", __name__)

    @Operation(
        id="list_ended_turns",
        method="get",
        path="/v1/events",
        summary="List the turns that have ended, in the order of their end, or stream them as they end",
        query=FeedQuery,
        headers=("Last-Event-ID",),
        responses={
            200: ResponseSpec(
                "A page, or server-sent events without an end",
                EndedTurns,
                other_kinds=(EVENT_STREAM,),
                events=FEED_EVENTS,
            )
        },
        refusals=(StreamsFull,),
    ).on(api)
    def list_ended_turns(query: FeedQuery) -> Response:
        given = last_event_id(FeedQuery) or query.after
        after = feed.now(tenant=g.caller.tenant) if given == "now" else int(given) if given else None
        if request.accept_mimetypes.best_match([JSON, EVENT_STREAM]) == EVENT_STREAM:
            authenticate = keep_authenticating(authenticator)
            return reply_stream(feed.open_stream(tenant=g.caller.tenant, after=after, authenticate=authenticate))
        page = feed.read(tenant=g.caller.tenant, after=after, limit=query.limit, wait_seconds=query.wait)
        return reply(EndedTurns.model_validate(page))

    return api
