"""The web process: everything is built here, and gunicorn runs it."""

import re
import secrets

import structlog
from flask import Flask, Response, g, request

from turns.connection import connect
from turns.settings import Settings
from turns.store import TurnStore
from web import problems
from web.api import build_health, build_sessions, build_turns
from web.parsing import MAX_BODY_BYTES
from web.waiting import Waiters

# One wait for an answer and two to connect again are less than the two seconds in which a caller must be told.
STORE_TIMEOUT_SECONDS = 0.6
STORE_RETRIES = 1
STORE_CONNECTIONS = 64

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


def create_app(settings: Settings) -> Flask:
    store = TurnStore(
        connect(
            settings.store_url,
            timeout_seconds=STORE_TIMEOUT_SECONDS,
            retries=STORE_RETRIES,
            max_connections=STORE_CONNECTIONS,
        ),
        settings,
    )
    waiters = Waiters(store, most=settings.max_waiters)
    waiters.start()
    app = Flask("web", static_folder=None)
    app.extensions["waiters"] = waiters
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES + 1  # see `read_body`
    app.before_request(_begin)
    app.after_request(_finish)
    for blueprint in (build_turns(store, waiters), build_sessions(store), build_health(store)):
        app.register_blueprint(blueprint)
    problems.register(app)
    return app


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _finish(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.request_id
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response
