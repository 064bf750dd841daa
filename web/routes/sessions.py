"""The routes of sessions."""

from flask import Blueprint, Response, g, request

from turns.config.logs import Log, get_logger
from turns.domain.ids import session_key
from turns.store.sessions import SessionStore
from web.http.responses import check_accept, read_json_body, reply, reply_empty
from web.http.validation import parse_messages, parse_name, parse_query
from web.schemas import responses, serializers
from web.schemas.requests import MessagesQuery, SessionQuery, SessionsQuery

MAX_IMPORT_BYTES = 8 * 1024 * 1024


def build_sessions(store: SessionStore) -> Blueprint:
    api = Blueprint("sessions", __name__)
    api.before_request(check_accept)

    @api.get("/v1/sessions")
    def list_sessions() -> Response:
        query = parse_query(SessionsQuery, request.args.items(multi=True))
        page = store.list_sessions(tenant=g.caller.tenant, after=query.after, limit=query.limit)
        sessions = tuple(map(serializers.to_session, page.sessions))
        return reply(
            responses.Page[responses.Session, str](data=sessions, has_more=page.after is not None, after=page.after)
        )

    @api.get("/v1/sessions/<session_id>")
    def read_session(session_id: str) -> Response:
        return reply(serializers.to_session(store.get_session(_named(session_id))))

    @api.delete("/v1/sessions/<session_id>")
    def erase(session_id: str) -> Response:
        session = _named(session_id)
        store.erase(session)
        get_logger().info(Log.SESSION_ERASED, session=session)
        return reply_empty()

    @api.put("/v1/sessions/<session_id>/messages")
    def import_messages(session_id: str) -> Response:
        query = parse_query(SessionQuery, request.args.items(multi=True))
        said = parse_messages(read_json_body(most_bytes=MAX_IMPORT_BYTES))
        imported = store.import_messages(
            said, session_id=parse_name("session_id", session_id), user_id=query.user_id, tenant=g.caller.tenant
        )
        session = session_key(session_id, query.user_id, g.caller.tenant)
        get_logger().info(Log.SESSION_IMPORTED, session=session, messages=len(said), replayed=imported.replayed)
        return reply(serializers.to_session(imported.session), 200 if imported.replayed else 201)

    @api.get("/v1/sessions/<session_id>/messages")
    def messages(session_id: str) -> Response:
        query = parse_query(MessagesQuery, request.args.items(multi=True))
        session = session_key(parse_name("session_id", session_id), query.user_id, g.caller.tenant)
        page = store.messages(session, after=query.after, limit=query.limit, newest_first=query.order == "desc")
        data = tuple(map(serializers.to_message, page.messages))
        return reply(
            responses.Page[responses.Message, int](data=data, has_more=page.after is not None, after=page.after)
        )

    return api


def _named(session_id: str) -> str:
    query = parse_query(SessionQuery, request.args.items(multi=True))
    return session_key(parse_name("session_id", session_id), query.user_id, g.caller.tenant)
