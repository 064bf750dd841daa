"""The routes of users: the sessions that a tenant's user has, their export, and the erasure of all of it."""

import json
from collections import Counter
from collections.abc import Iterator

from flask import Blueprint, Response, g, stream_with_context
from pydantic import BaseModel

from turns.backend.partition.missing import missing_partitions
from turns.config.logs import Log, get_logger
from turns.conversations.conversations import Conversations
from turns.domain.errors import SessionNotFound
from turns.store.sessions import SessionStore
from turns.store.turns import TurnStore
from turns.users.erasures import UserErasures
from web.http.responses import NDJSON, reply
from web.http.validation import parse_id
from web.openapi.operation import Operation, ResponseSpec
from web.routes.session_lists import reply_sessions
from web.schemas import responses
from web.schemas.queries import SessionFilterQuery

ERASE_SECONDS = 10.0  # after which the receipt is sent as it is then, and the erasure goes on by itself
PAGE = 100


def build_users(
    conversations: Conversations, sessions: SessionStore, turns: TurnStore, erasures: UserErasures
) -> Blueprint:
    api = Blueprint("users", __name__)

    @Operation(
        id="list_user_sessions",
        method="get",
        path="/v1/users/{user_id}/sessions",
        summary="List the sessions of a user, most recently active first",
        query=SessionFilterQuery,
        responses={200: ResponseSpec("A page", responses.SessionPage)},
    ).on(api)
    def list_user_sessions(user_id: str, query: SessionFilterQuery) -> Response:
        return reply_sessions(conversations, query, parse_id("user_id", user_id))

    @Operation(
        id="export_user",
        method="get",
        path="/v1/users/{user_id}/export",
        summary="Export what a user has, as one JSON object a line",
        responses={
            200: ResponseSpec(
                "Each session, followed by its messages and by its turns that are kept. The last line is `end`, with "
                "their numbers; an export without it is not complete",
                kind=NDJSON,
            )
        },
    ).on(api)
    def export_user(user_id: str) -> Response:
        lines = _export(sessions, turns, parse_id("user_id", user_id), g.caller.tenant)
        return Response(stream_with_context(lines), content_type=NDJSON)

    @Operation(
        id="erase_user",
        method="delete",
        path="/v1/users/{user_id}",
        summary="Erase a user: all sessions, turns and results, and the user's name in the sums of usage",
        responses={
            200: ResponseSpec("The receipt; nothing is left", responses.UserErasure),
            202: ResponseSpec("The receipt so far; the erasure goes on by itself", responses.UserErasure),
        },
    ).on(api)
    def erase_user(user_id: str) -> Response:
        tenant = g.caller.tenant
        erasure = erasures.erase(parse_id("user_id", user_id), tenant=tenant, seconds=ERASE_SECONDS)
        if erasure.is_complete:
            get_logger().info(Log.USER_ERASED, tenant=tenant, user_id=user_id, sessions=erasure.sessions)
        return reply(responses.UserErasure.model_validate(erasure), 200 if erasure.is_complete else 202)

    return api


def _export(sessions: SessionStore, turns: TurnStore, user_id: str, tenant: str) -> Iterator[str]:
    counts: Counter[str] = Counter()
    after = ""
    while names := sessions.list_user_names(user_id, tenant=tenant, after=after, limit=PAGE):
        for name in names:
            for item in _items_of(sessions, turns, name, tenant):
                body = item.model_dump(mode="json")
                counts[body["object"]] += 1
                yield f"{json.dumps(body)}\n"
        after = names[-1]
    totals = {f"{kind}s": counts[kind] for kind in ("session", "message", "unanswered_question", "turn")}
    yield f"{json.dumps({'object': 'end', **totals, 'missing_partitions': missing_partitions()})}\n"


def _items_of(sessions: SessionStore, turns: TurnStore, name: str, tenant: str) -> Iterator[BaseModel]:
    """Yield a session, its messages and its turns; nothing of one that is gone, or is erased meanwhile."""
    try:
        yield responses.Session.model_validate(sessions.get_session(name))
        number: int | None = None
        while True:
            messages = sessions.list_messages(name, after=number, limit=PAGE, newest_first=False)
            yield from map(responses.Message.model_validate, messages.messages)
            if (number := messages.after) is None:
                break
        yield from map(responses.UnansweredQuestion.model_validate, sessions.list_unanswered(name))
    except SessionNotFound:
        return
    after: str | None = None
    while True:
        page = turns.list_turns(tenant=tenant, session=name, after=after, limit=PAGE)
        yield from map(responses.Turn.model_validate, page.turns)
        if (after := page.after) is None:
            return
