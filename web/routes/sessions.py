"""The routes of sessions."""

from flask import Blueprint, Response, g

from turns.config.logs import Log, get_logger
from turns.conversations.conversations import Conversations
from turns.domain.errors import IntakePaused, SessionBusy, SessionChanged, SessionNotEmpty, SessionNotFound, StoreUnsafe
from turns.domain.ids import session_key
from turns.store.sessions import SessionStore
from web.http.responses import read_json_body, reply, reply_empty
from web.http.session_versions import read_if_match, reply_session
from web.http.threads import run_in_thread
from web.http.validation import parse_body, parse_id, parse_messages
from web.openapi.operation import QUOTA, Operation, ResponseSpec
from web.routes.session_lists import reply_sessions
from web.schemas import responses
from web.schemas.queries import MessagesQuery, SessionQuery, SessionsQuery
from web.schemas.requests import ImportBody, PatchSessionBody
from web.schemas.response_model import Page

MAX_PATCH_BYTES = 64 * 1024
MAX_IMPORT_BYTES = 8 * 1024 * 1024


def build_sessions(store: SessionStore, conversations: Conversations) -> Blueprint:
    api = Blueprint("sessions", __name__)

    @Operation(
        id="list_sessions",
        method="get",
        path="/v1/sessions",
        summary="List sessions, most recently active first",
        query=SessionsQuery,
        responses={200: ResponseSpec("A page", responses.SessionPage)},
        takes_tokens=True,
    ).on(api)
    def list_sessions(query: SessionsQuery) -> Response:
        return reply_sessions(conversations, query, query.user_id)

    @Operation(
        id="read_session",
        method="get",
        path="/v1/sessions/{session_id}",
        summary="Get the state of a session",
        query=SessionQuery,
        responses={200: ResponseSpec("The session", responses.Session, headers=("ETag",))},
        refusals=(SessionNotFound,),
        takes_tokens=True,
    ).on(api)
    def read_session(session_id: str, query: SessionQuery) -> Response:
        session = store.get_session(_session_key(session_id, query))
        return reply_session(session)

    @Operation(
        id="patch_session",
        method="patch",
        path="/v1/sessions/{session_id}",
        summary="Change the title, the labels or the retention of a session, or archive it",
        query=SessionQuery,
        body=PatchSessionBody,
        headers=("If-Match",),
        responses={200: ResponseSpec("The session", responses.Session, headers=("ETag",))},
        refusals=(SessionNotFound, SessionChanged),
        takes_tokens=True,
    ).on(api)
    def patch_session(session_id: str, query: SessionQuery) -> Response:
        body = parse_body(PatchSessionBody, read_json_body(max_bytes=MAX_PATCH_BYTES))
        session = conversations.patch(
            parse_id("session_id", session_id),
            body.model_dump(exclude_unset=True),
            user_id=query.user_id,
            tenant=g.caller.tenant,
            if_version=read_if_match(),
        )
        return reply_session(session)

    @Operation(
        id="erase",
        method="delete",
        path="/v1/sessions/{session_id}",
        summary="Erase a session: cancel its live turns, delete its history, its turns and their results",
        query=SessionQuery,
        responses={204: ResponseSpec("The session does not exist any more")},
        takes_tokens=True,
    ).on(api)
    def erase(session_id: str, query: SessionQuery) -> Response:
        session = _session_key(session_id, query)
        store.erase(session)
        get_logger().info(Log.SESSION_ERASED, session=session)
        return reply_empty()

    @Operation(
        id="messages",
        method="get",
        path="/v1/sessions/{session_id}/messages",
        summary="List the committed messages of a session",
        query=MessagesQuery,
        responses={200: ResponseSpec("A page", Page[responses.Message, int])},
        refusals=(SessionNotFound,),
        takes_tokens=True,
    ).on(api)
    def messages(session_id: str, query: MessagesQuery) -> Response:
        session = _session_key(session_id, query)
        page = store.list_messages(session, after=query.after, limit=query.limit, newest_first=query.order == "desc")
        return reply(Page[responses.Message, int].of(page.messages, page.after))

    @Operation(
        id="unanswered",
        method="get",
        path="/v1/sessions/{session_id}/unanswered",
        summary="List the last questions of a session that failed, expired or were cancelled, oldest first",
        query=SessionQuery,
        responses={200: ResponseSpec("The questions", responses.UnansweredQuestions)},
        refusals=(SessionNotFound,),
        takes_tokens=True,
    ).on(api)
    def unanswered(session_id: str, query: SessionQuery) -> Response:
        found = store.list_unanswered(_session_key(session_id, query))
        return reply(responses.UnansweredQuestions(data=tuple(map(responses.UnansweredQuestion.model_validate, found))))

    @Operation(
        id="import_messages",
        method="put",
        path="/v1/sessions/{session_id}/messages",
        summary="Start an empty, idle session with existing messages: all of them or none",
        query=SessionQuery,
        body=ImportBody,
        responses={
            201: ResponseSpec("The session with the messages", responses.Session, headers=("ETag",)),
            200: ResponseSpec(
                "The session; the same messages were imported before", responses.Session, headers=("ETag",)
            ),
        },
        refusals=(SessionNotEmpty, SessionBusy, *QUOTA, IntakePaused, StoreUnsafe),
    ).on(api)
    def import_messages(session_id: str, query: SessionQuery) -> Response:
        body = read_json_body(max_bytes=MAX_IMPORT_BYTES)
        messages = run_in_thread(lambda: parse_messages(body))
        session = _session_key(session_id, query)
        imported = store.import_messages(messages, session_id=session_id, user_id=query.user_id, tenant=g.caller.tenant)
        get_logger().info(Log.SESSION_IMPORTED, session=session, messages=len(messages), replayed=imported.replayed)
        return reply_session(imported.session, 200 if imported.replayed else 201)

    return api


def _session_key(session_id: str, query: SessionQuery) -> str:
    return session_key(parse_id("session_id", session_id), query.user_id, g.caller.tenant)
