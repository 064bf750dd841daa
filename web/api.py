"""The routes. Each parses, makes one call and renders."""

import json
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.exceptions import NotAcceptable, RequestEntityTooLarge, UnsupportedMediaType

from turns.keys import session_key
from turns.logs import Log, get_logger
from turns.store import Accepted, TurnStore
from turns.turn import Turn
from web.parsing import (
    MAX_BODY_BYTES,
    MessagesQuery,
    WaitQuery,
    parse_idempotency_key,
    parse_name,
    parse_query,
    parse_submit,
)
from web.rendering import render_page, render_turn
from web.waiting import Waiters

JSON = "application/json"
RETRY_AFTER_SECONDS = 1


def check_accept() -> None:
    """Raises `NotAcceptable` for a caller who does not take JSON."""
    if request.accept_mimetypes and not request.accept_mimetypes.best_match([JSON]):
        raise NotAcceptable(f"This service answers with {JSON}.")


def read_body() -> bytes:
    """Raises `RequestEntityTooLarge`. A body of unknown length is cut off by Flask without a word, so one byte too
    many is let through to be seen here."""
    body = request.get_data(cache=False)
    if len(body) > MAX_BODY_BYTES:
        raise RequestEntityTooLarge
    return body


def build_turns(store: TurnStore, waiters: Waiters) -> Blueprint:
    api = Blueprint("turns", __name__)
    api.before_request(check_accept)

    @api.post("/v1/turns")
    def submit() -> Response:
        if request.mimetype != JSON:
            raise UnsupportedMediaType(f"The body must be {JSON}.")
        asked = parse_submit(read_body(), request.headers.get("Idempotency-Key"))
        return _accepted(store.accept(asked))

    @api.get("/v1/turns/<turn_id>")
    def read(turn_id: str) -> Response:
        query = parse_query(WaitQuery, request.args.items(multi=True))
        return _turn(waiters.read(turn_id, wait_seconds=query.wait))

    @api.post("/v1/turns/<turn_id>/cancel")
    def cancel(turn_id: str) -> Response:
        turn = store.cancel(turn_id)
        get_logger().info(Log.TURN_CANCELLED, turn_id=turn_id, status=turn.status)
        return _turn(turn)

    @api.post("/v1/turns/<turn_id>/retry")
    def retry(turn_id: str) -> Response:
        key = parse_idempotency_key(request.headers.get("Idempotency-Key"))
        return _accepted(store.retry_failed(turn_id, idempotency_key=key))

    return api


def build_sessions(store: TurnStore) -> Blueprint:
    api = Blueprint("sessions", __name__)
    api.before_request(check_accept)

    @api.get("/v1/sessions/<session_id>/messages")
    def messages(session_id: str) -> Response:
        query = parse_query(MessagesQuery, request.args.items(multi=True))
        session = session_key(parse_name("session_id", session_id), query.user_id)
        newest_first = query.order == "desc"
        page = store.messages(session, after=query.after, limit=query.limit, newest_first=newest_first)
        return _json(render_page(page))

    return api


def build_health(store: TurnStore) -> Blueprint:
    api = Blueprint("health", __name__)

    @api.get("/livez")
    def livez() -> Response:
        return _json({"status": "ok"})

    @api.get("/readyz")
    def readyz() -> Response:
        health = store.health()
        body = {
            "status": "ok" if health.is_safe else "unsafe",
            "durability": health.durability,
            "replicas": health.replicas,
            "eviction_policy": health.eviction_policy,
            "live_workers": health.live_workers,
            "live_turns": health.live_turns,
        }
        return _json(body, status=200 if health.is_safe else 503)

    return api


def _accepted(accepted: Accepted) -> Response:
    get_logger().info(Log.TURN_ACCEPTED, turn_id=accepted.turn.id, replayed=accepted.replayed)
    response = _turn(accepted.turn, status=202)
    response.headers["Location"] = f"/v1/turns/{accepted.turn.id}"
    if accepted.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def _turn(turn: Turn, status: int = 200) -> Response:
    response = _json(render_turn(turn), status=status)
    if not turn.status.is_terminal:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body), status=status, content_type=JSON)
