"""The web process: everything is built here, and gunicorn runs it."""

import re
import secrets
from collections.abc import Callable

import gevent
from flask import Flask, Response, g, request
from flask_cors import CORS

from turns.connection import connect
from turns.filed import open_turn_store
from turns.filed_sessions import open_session_store
from turns.keyring import Keyring
from turns.logs import bind
from turns.operating import Operations
from turns.overview import Overview
from turns.roster import Roster
from turns.settings import Settings
from turns.tracing import start_tracing
from web import problems
from web.about import build_about, build_health
from web.assets import Assets, build_assets
from web.gate import ANYBODY, GUARDED, Gate
from web.live_turns import LiveTurns
from web.operator import build_operator
from web.origins import Origins
from web.overview import build_overview
from web.pages import build_pages
from web.sessions import build_sessions
from web.shared_reads import SharedReads
from web.streams import Streams
from web.turns import build_streams, build_turns
from web.waiting import Waiters

# One wait for an answer and two to connect again are less than the two seconds in which a caller must be told.
STORE_TIMEOUT_SECONDS = 0.6
STORE_RETRIES = 1
STORE_CONNECTIONS = 64
STORE_PATIENCE_SECONDS = 3.0  # for one of them to be free: a burst of callers is no store that is away

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


# On every answer; a page brings a wider policy of its own.
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
EXPOSED = ["ETag", "Idempotency-Replayed", "Location", "Preference-Applied", "Retry-After", "X-Request-Id"]


def create_app(settings: Settings, roster: Roster) -> Flask:
    start_tracing(settings, role="web")
    client = connect(
        settings.store_url,
        timeout_seconds=STORE_TIMEOUT_SECONDS,
        retries=STORE_RETRIES,
        max_connections=STORE_CONNECTIONS,
        patience_seconds=STORE_PATIENCE_SECONDS,
    )
    store = open_turn_store(client, settings)
    feed = store.feed()
    feed.start()
    reads = SharedReads(store.read)
    live = LiveTurns(store.accept)
    waiters = Waiters(reads, live, feed, most=settings.max_waiters)
    waiters.start()
    streams = Streams(store, reads, feed, most=settings.max_streams)
    app = Flask("web", static_folder=None)
    # Else `//` is answered by a page that redirects, to an address of which no proxy was asked.
    app.url_map.merge_slashes = False
    assets = Assets()
    app.extensions["draining"] = (waiters, streams)
    operations, overview = Operations(client, store, roster.find), Overview(client)
    gate, origins = Gate(Keyring(client)), Origins(settings)
    app.before_request(_begin)
    app.before_request(lambda: _admit(gate, origins))
    app.after_request(_finish)
    for blueprint in (
        build_turns(store, live, waiters, roster.find),
        build_streams(streams, gate),
        build_sessions(open_session_store(client, settings, apart=_apart)),
        build_health(store),
        build_operator(operations, overview),
        build_overview(overview, operations),
        build_about(roster, settings, assets),
        build_pages(assets),
        build_assets(assets),
    ):
        app.register_blueprint(blueprint)
    problems.register(app)
    if settings.cors_origins:
        CORS(app, origins=settings.allowed_origins, expose_headers=EXPOSED)
    return app


def _apart(work: Callable[[], object]) -> object:
    """Done in a real thread: in a greenlet all callers would wait for the disk with it."""
    return gevent.get_hub().threadpool.apply(work)


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
    bind(request_id=g.request_id)


def _admit(gate: Gate, origins: Origins) -> None:
    """Only what concerns turns and operators is asked about; a page holds none of it, and a browser's preflight request
    brings no key."""
    if request.path.startswith(GUARDED) and request.method != "OPTIONS" and request.blueprint != "pages":
        g.caller = gate.admit(request.headers.get("Authorization"))
        g.caller.check(request.method, request.path)
        if g.caller is ANYBODY:
            origins.check(request.method, request.environ)


def _finish(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.request_id
    # Not `setdefault`, which looks through all of them five times for each: 5 % of an answer.
    own = {name for name, _ in response.headers}
    response.headers.extend((name, value) for name, value in HEADERS.items() if name not in own)
    return response
