"""The routes that the default transport of `useChat` calls, and one with which a page begins."""

from collections.abc import Callable
from functools import partial

from flask import Blueprint, Response, g, request
from werkzeug.exceptions import HTTPException

from turns.config.logs import Log, get_logger
from turns.domain.assistant import Assistant
from turns.domain.errors import Refused, StoreUnavailable
from turns.domain.ids import is_turn_id, session_key
from turns.domain.turn import Turn
from turns.domain.turn_request import TurnRequest
from turns.edits.regeneration import Origin
from web.http.responses import EVENT_STREAM, read_json_body, reply, reply_empty
from web.http.turn_requests import ResolveParts, to_turn_request
from web.http.urls import read_query
from web.http.validation import parse_body, parse_id, parse_query
from web.schemas.queries import SessionQuery
from web.schemas.requests import submit_body
from web.security.auth import Authenticator
from web.security.token_bounds import bind
from web.streaming.sse import EventStreams
from web.surfaces.ai_sdk.chats import Chats
from web.surfaces.ai_sdk.chunks import to_message_stream
from web.surfaces.ai_sdk.files import MessageFiles
from web.surfaces.ai_sdk.messages import Chat, to_ui_messages
from web.surfaces.ai_sdk.requests import ChatBody
from web.surfaces.native_events import follow_turn

MAX_BODY_BYTES = 32 * 1024 * 1024  # a page sends all messages that it shows, with their files
CAN_RESET = {"v6": False, "v7": True}  # whether the release can take back text that it has shown
AWAY = "The service cannot reach its store. Try again."
HEADERS = {"X-Accel-Buffering": "no", "x-vercel-ai-ui-message-stream": "v1"}


def build_ai_sdk(
    chats: Chats,
    streams: EventStreams,
    cancel: Callable[..., Turn],
    authenticator: Authenticator,
    *,
    find: Callable[[str], Assistant],
    files: MessageFiles,
    resolve_parts: ResolveParts,
    release: str,
    max_input_bytes: int,
) -> Blueprint:
    """`release` is a key of `CAN_RESET`. `cancel` is `TurnStore.cancel`; `find` returns an assistant by its name."""
    api = Blueprint(f"ai_sdk_{release}", __name__, url_prefix=f"/ai/{release}/chat")
    api.register_error_handler(Refused, lambda error: _reply_text(str(error), error.status, error.retry_after_seconds))
    api.register_error_handler(StoreUnavailable, lambda error: _reply_text(AWAY, error.status, 1))
    api.register_error_handler(HTTPException, lambda error: _reply_text(str(error.description), error.code or 500))

    model = submit_body(max_input_bytes)

    def follow(turn: Turn) -> Response:
        events = follow_turn(streams, turn, authenticator)
        chunks = to_message_stream(events, turn.id, can_reset=CAN_RESET[release])
        return Response(chunks, content_type=EVENT_STREAM, headers=HEADERS)

    @api.post("")
    def chat() -> Response:
        body = parse_body(ChatBody, read_json_body(max_bytes=MAX_BODY_BYTES))
        query = bind({"session_id": parse_id("id", body.id)}, SessionQuery(user_id=body.user_id), takes_tokens=True)
        session = session_key(body.id, query.user_id, g.caller.tenant)
        turn = _find_or_accept(chats, body, session, partial(_to_request, user_id=query.user_id))
        get_logger().info(Log.TURN_ACCEPTED, turn_id=turn.id, replayed=False)
        return follow(turn)

    def _to_request(body: ChatBody, user_id: str | None) -> TurnRequest:
        question, tenant = body.question, g.caller.tenant
        keep = files.keeper(tenant=tenant, user_id=user_id, session=session_key(body.id, user_id, tenant))
        return to_turn_request(
            body.to_submit(question.to_input(keep)),
            model,
            find=find,
            idempotency_key=question.idempotency_key(body.id),
            resolve_parts=resolve_parts,
        )

    @api.get("/<session_id>")
    def load(session_id: str) -> Response:
        messages, next_turn = chats.conversation(_session(session_id), g.caller.tenant)
        return reply(Chat(id=session_id, messages=to_ui_messages(messages, next_turn)))

    @api.get("/<session_id>/stream")
    def resume(session_id: str) -> Response:
        turn = _next_turn(_session(session_id))
        return follow(turn) if turn else reply_empty()

    @api.post("/<session_id>/stop")
    def stop(session_id: str) -> Response:
        if turn := _next_turn(_session(session_id)):
            cancelled = cancel(turn.id, tenant=g.caller.tenant)
            get_logger().info(Log.TURN_CANCELLED, turn_id=turn.id, status=cancelled.status)
        return reply_empty()

    def _next_turn(session: str) -> Turn | None:
        return chats.next_turn(session, g.caller.tenant)

    return api


def _find_or_accept(
    chats: Chats, body: ChatBody, session: str, to_turn_request: Callable[[ChatBody], TurnRequest]
) -> Turn:
    """Return the turn whose answer the page asks for."""
    if body.trigger == "regenerate-message" and is_turn_id(named := body.message_id or ""):
        return chats.regenerate_turn(named, session, _origin(None))
    turn_request = to_turn_request(body)
    if body.trigger == "regenerate-message":
        return chats.regenerate_last(body, turn_request, _origin(None))
    return chats.submit(body, turn_request, _origin(None))


def _session(session_id: str) -> str:
    """Return the key of the session of the path. Raises `InvalidRequest` or `Forbidden`."""
    query = parse_query(SessionQuery, read_query(request))
    user_id = bind({"session_id": session_id}, query, takes_tokens=True).user_id
    return session_key(parse_id("id", session_id), user_id, g.caller.tenant)


def _origin(key: str | None) -> Origin:
    return Origin(tenant=g.caller.tenant, idempotency_key=key, request_id=g.request_id, key_id=g.caller.key_id)


def _reply_text(text: str, status: int, retry_after_seconds: int | None = None) -> Response:
    """Reply with an error as text, which the hook shows as it is."""
    response = Response(text, status=status, content_type="text/plain; charset=utf-8")
    if retry_after_seconds is not None:
        response.headers["Retry-After"] = str(retry_after_seconds)
    return response
