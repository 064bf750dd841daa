"""Common parts of the lists of sessions: their queries as filters, and their pages."""

from flask import Response, g

from turns.conversations.conversations import Conversations
from turns.conversations.session_filter import SessionFilter
from web.http.responses import reply
from web.schemas import responses
from web.schemas.queries import SessionFilterQuery


def reply_sessions(conversations: Conversations, query: SessionFilterQuery, user_id: str | None) -> Response:
    """Reply with a page of the sessions of the caller's tenant that the query selects, and their number if asked."""
    wanted, tenant = to_filter(query), g.caller.tenant
    page = conversations.list(wanted, tenant=tenant, user_id=user_id, after=query.after, limit=query.limit)
    total = conversations.count(wanted, tenant=tenant, user_id=user_id) if query.count == "true" else None
    body = responses.SessionPage.of(page.sessions, page.after)
    return reply(body.model_copy(update={"total": total and responses.SessionCount.model_validate(total)}))


def to_filter(query: SessionFilterQuery) -> SessionFilter:
    return SessionFilter(
        archived=None if query.archived is None else query.archived == "true",
        metadata=tuple(query.metadata),
        words=query.q,
        active_after=query.active_after,
        active_before=query.active_before,
    )
