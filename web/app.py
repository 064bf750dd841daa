"""Create the Flask app of a web process, with all of its parts."""

import re
import secrets
from functools import partial

from flask import Flask, Response, g, request
from flask_cors import CORS

from turns.access.api_keys import ApiKeyStore
from turns.access.audit_log import AuditLog
from turns.access.key_record import KeyRecord
from turns.access.key_uses import KeyUses
from turns.assistants.registry import AssistantRegistry
from turns.backend.opening import connect
from turns.backend.partition.missing import collect_missing
from turns.config.logs import bind, bind_more
from turns.config.settings import Settings
from turns.config.tracing import start_tracing
from turns.conversations.conversations import Conversations
from turns.domain.errors import Forbidden, Unauthenticated
from turns.edits.copies import HistoryCopies
from turns.edits.deletion import Deletion
from turns.edits.forks import Forks
from turns.edits.placement import ForkPlacement
from turns.edits.regeneration import Regeneration
from turns.ended_turns.feed import EndedTurns
from turns.file_history.session_store import open_session_store
from turns.file_history.turn_store import open_turn_store
from turns.files.blobs import open_blobs
from turns.files.store import FileStore
from turns.jobs.executor import JobExecutor
from turns.jobs.failed_turns import FailedTurns
from turns.jobs.job_store import JobStore
from turns.jobs.runner import JobRunner
from turns.jobs.selection import Selector
from turns.operations.actions import OperatorActions
from turns.operations.queries import OperatorQueries
from turns.pauses.pauses import Pauses
from turns.processes.record import WEB
from turns.processes.reporter import Reporter, web_process_name
from turns.retries.guard import RetryGuard
from turns.search.search import Search
from turns.session_stream.store import SessionStreamStore
from turns.tenants.tenants import Tenants
from turns.usage.store import UsageStore
from turns.users.erasures import UserErasures
from turns.users.runner import ErasureRunner
from web.http import access_log, problems
from web.http.parts import PartResolver
from web.http.request_span import trace_requests
from web.http.root_path import RootPath
from web.http.threads import run_in_thread
from web.http.urls import EncodedPath, Segment
from web.routes.assets import Assets, build_assets
from web.routes.edits import build_edits
from web.routes.feed import build_feed
from web.routes.files import build_files
from web.routes.operator.actions import build_operator_actions
from web.routes.operator.audit import build_operator_audit
from web.routes.operator.cancellations import build_operator_cancellations
from web.routes.operator.failed import build_operator_failed
from web.routes.operator.holds import build_operator_holds
from web.routes.operator.jobs import audit_begin, audit_end, build_operator_jobs
from web.routes.operator.keys import build_operator_keys
from web.routes.operator.pauses import build_operator_pauses
from web.routes.operator.search import build_operator_search
from web.routes.operator.tenants import build_operator_tenants
from web.routes.operator.usage import build_operator_usage
from web.routes.operator.views import build_operator_views
from web.routes.operator.workers import build_operator_workers
from web.routes.pages import build_pages
from web.routes.service import build_description, build_health
from web.routes.sessions import build_sessions
from web.routes.streams import build_streams
from web.routes.tokens import build_tokens
from web.routes.turns import build_turns
from web.routes.usage import build_usage
from web.routes.users import build_users
from web.schemas.links import set_root_path
from web.security.audit import EXTENSION as AUDIT_EXTENSION
from web.security.audit import RefusalAudit
from web.security.auth import ANONYMOUS, GUARDED, Authenticator, sent_authorization
from web.security.cross_origin import CrossOriginGuard
from web.security.token_bounds import EXTENSION as GET_TURN
from web.streaming.connections import StreamConnections
from web.streaming.ended_feed import EndedFeed
from web.streaming.long_poll import LongPolls
from web.streaming.rendering import EventRenderer
from web.streaming.session_stream import SessionStreams
from web.streaming.single_flight import SingleFlight
from web.streaming.sse import EventStreams
from web.surfaces.blueprints import build_surfaces
from web.surfaces.openai.services import Services

# One timeout of a command and two of reconnections are less than the two seconds within which a caller gets an answer.
STORE_TIMEOUT_SECONDS = 0.6
STORE_RETRIES = 1
STORE_CONNECTIONS = 64
POOL_TIMEOUT_SECONDS = 3.0  # a burst of callers waits this long for a free connection before it gets 503

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")

# Headers of every response; a page sets a wider policy instead.
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
EXPOSED = ["ETag", "Idempotency-Replayed", "Location", "Preference-Applied", "Retry-After", "X-Request-Id"]
EXPOSED += ["X-InTurn-Turn", "X-InTurn-Session", "X-InTurn-Forked-From"]


def create_app(settings: Settings, registry: AssistantRegistry) -> Flask:
    """Create the app. Its background threads are the extension `background`, which the server starts."""
    start_tracing(settings, role="web")
    client = connect(
        settings.store_url,
        timeout_seconds=STORE_TIMEOUT_SECONDS,
        retries=STORE_RETRIES,
        max_connections=STORE_CONNECTIONS,
        pool_timeout_seconds=POOL_TIMEOUT_SECONDS,
    )
    store = open_turn_store(client, settings)
    subscriptions = store.subscriptions()
    reads = SingleFlight(store.get_turn)
    long_polls = LongPolls(store.get_ended_turn, reads, subscriptions, max_waiters=settings.max_waiters)
    connections = StreamConnections(subscriptions, max_streams=settings.max_streams)
    sessions = open_session_store(client, settings, offload=run_in_thread)
    copies, placement = HistoryCopies(client, settings, run_in_thread), ForkPlacement(client, settings)
    regeneration = Regeneration(store, sessions, copies, placement, registry.find)
    forks, deletion = Forks(client, settings, store, copies, placement), Deletion(store, copies, placement)
    streams = EventStreams(store, reads, subscriptions, connections)
    feed = EndedFeed(EndedTurns(client, settings), subscriptions, connections)
    session_store = SessionStreamStore(client, settings, store)
    session_streams = SessionStreams(session_store, EventRenderer(reads), subscriptions, connections)
    app = Flask("web", static_folder=None)
    # Otherwise Flask answers `//` with a redirect, whose address ignores the proxies in front of the service.
    app.url_map.merge_slashes = False
    app.url_map.converters["default"] = Segment
    if settings.root_path:
        app.wsgi_app = RootPath(app.wsgi_app, settings.root_path)  # type: ignore[method-assign]  # as Flask documents it
    app.wsgi_app = EncodedPath(app.wsgi_app)  # type: ignore[method-assign]
    assets, blobs = Assets(), open_blobs(settings)
    reporter = Reporter(store, web_process_name(secrets.token_hex(4)), WEB, files=blobs.read_identity())
    app.extensions["draining"] = (long_polls, connections, reporter)
    app.extensions[GET_TURN] = reads.get_turn
    actions, search = OperatorActions(client, store), Search(client, settings)
    pauses, tenants = Pauses(client, settings), Tenants(client, settings)
    queries = OperatorQueries(client, settings, store_replaced_at=lambda: reporter.store_replaced_at)
    audit_log = app.extensions[AUDIT_EXTENSION] = AuditLog(client)
    failed, jobs, selector = FailedTurns(client, store, registry.find), JobStore(client, settings), Selector(client)
    runner = JobRunner(
        jobs,
        selector,
        JobExecutor(jobs, store, failed),
        on_begin=partial(audit_begin, audit_log),
        on_end=partial(audit_end, audit_log),
    )
    files = FileStore(client, settings, blobs, offload=run_in_thread)
    usage = UsageStore(client, settings, offload=run_in_thread)
    conversations, erasures = Conversations(sessions, settings), UserErasures(client, sessions, store, usage)
    api_keys, key_uses = ApiKeyStore(client), KeyUses(client)
    key_record = KeyRecord(settings.data_dir) if settings.uses_embedded_store else None
    authenticator = Authenticator(api_keys, key_uses, requires_keys=settings.require_keys)
    origins, refusals = CrossOriginGuard(settings), RefusalAudit()
    app.extensions["background"] = (subscriptions, long_polls, reporter, runner, ErasureRunner(erasures), key_uses)
    app.before_request(_begin_collecting if settings.partitions else _begin)
    trace_requests(app)
    app.before_request(lambda: _authorize(authenticator, origins, refusals))
    app.after_request(_finish)
    for blueprint in (
        build_turns(
            store,
            long_polls,
            registry.find,
            resolve_parts=PartResolver(files, max_bytes=settings.model_file_bytes).resolve,
            max_input_bytes=settings.max_input_bytes,
        ),
        build_files(files, max_bytes=settings.max_file_bytes),
        build_edits(
            regeneration,
            forks,
            deletion,
            long_polls,
            max_input_bytes=settings.max_input_bytes,
        ),
        build_streams(streams, session_streams, authenticator),
        build_feed(feed, authenticator),
        build_sessions(sessions, conversations),
        build_users(conversations, sessions, store, erasures),
        build_description(registry, settings, assets),
        build_operator_actions(actions, queries),
        build_operator_audit(audit_log),
        build_operator_cancellations(actions, queries),
        build_operator_holds(actions, queries),
        build_operator_pauses(pauses),
        build_operator_keys(api_keys, key_record, actions.cancel_turns_of_key),
        build_operator_search(search, queries),
        build_operator_tenants(tenants, pauses, usage),
        build_operator_failed(failed),
        build_operator_jobs(jobs, selector, runner),
        build_operator_views(queries, search, failed),
        build_operator_workers(queries),
        build_operator_usage(usage),
        build_tokens(api_keys, reads.get_turn),
        build_usage(usage),
        build_health(store, usage),
        build_pages(assets),
        build_assets(assets),
        *build_surfaces(
            settings,
            store=store,
            sessions=sessions,
            regeneration=regeneration,
            streams=streams,
            long_polls=long_polls,
            authenticator=authenticator,
            registry=registry,
            openai=Services(
                store=store,
                sessions=sessions,
                conversations=conversations,
                forks=forks,
                deletion=deletion,
                streams=streams,
                long_polls=long_polls,
                authenticator=authenticator,
                registry=registry,
                resolve_parts=PartResolver(files, max_bytes=settings.model_file_bytes).resolve,
                files=files,
                retries=RetryGuard(client),
                placement=placement,
                max_input_bytes=settings.max_input_bytes,
                max_file_bytes=settings.model_file_bytes,
            ),
            files=files,
        ),
    ):
        app.register_blueprint(blueprint)
    problems.register(app)
    if settings.access_log:
        access_log.register(app)
    if settings.cors_origins:
        CORS(app, origins=settings.allowed_origins, expose_headers=EXPOSED)
    return app


def _begin() -> None:
    given_id = request.headers.get("X-Request-Id", "")
    g.request_id = given_id if REQUEST_ID.fullmatch(given_id) else secrets.token_hex(8)
    bind(request_id=g.request_id)
    set_root_path(request.script_root)


def _begin_collecting() -> None:
    """Begin a request whose response names the partitions of the store that its reads leave out."""
    _begin()
    collect_missing()


def _authorize(authenticator: Authenticator, origins: CrossOriginGuard, refusals: RefusalAudit) -> None:
    """Raise `Unauthenticated` or `Forbidden` unless the caller may make the request.

    Pages contain no data and need no key. A browser's preflight request (OPTIONS) cannot carry one.
    """
    if request.path.startswith(GUARDED) and request.method != "OPTIONS" and request.blueprint != "pages":
        try:
            caller = g.caller = authenticator.authenticate(sent_authorization(request))
            if caller is not ANONYMOUS:
                bind_more(key_id=caller.key_id, tenant=caller.tenant)
            caller.check(request.method, request.path)
        except (Unauthenticated, Forbidden) as error:
            refusals.record(error)
            raise
        if caller.key_id is None:
            origins.check(request.method, request.environ)


def _finish(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.request_id
    # `setdefault` would search all headers several times for each name, which takes 5 % of a response's time.
    present = {name for name, _ in response.headers}
    response.headers.extend((name, value) for name, value in HEADERS.items() if name not in present)
    return response
