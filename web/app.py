"""Create the Flask app of a web process."""

from flask import Flask
from flask_cors import CORS

from turns.assistants.registry import AssistantRegistry
from turns.config.settings import Settings
from turns.config.tracing import start_tracing
from web.blueprints import build_blueprints
from web.hooks import register_hooks
from web.http import access_log, problems
from web.http.urls import EncodedPath, RootPath, Segment
from web.security.audit import EXTENSION as AUDIT_LOG
from web.security.token_bounds import EXTENSION as GET_TURN
from web.services import Services

EXPOSED = ["ETag", "Idempotency-Replayed", "Location", "Preference-Applied", "Retry-After", "X-Request-Id"]
EXPOSED += ["X-InTurn-Turn", "X-InTurn-Session", "X-InTurn-Forked-From"]


def create_app(settings: Settings, registry: AssistantRegistry) -> Flask:
    """Create the app.

    Its extension `background` are the threads that the server starts, `draining` what it ends before it stops.
    """
    start_tracing(settings, role="web")
    services = Services(settings, registry)
    app = Flask("web", static_folder=None)
    _read_paths(app, settings)
    app.extensions[GET_TURN] = services.reads.get_turn
    app.extensions[AUDIT_LOG] = services.audit_log
    app.extensions["background"] = services.background
    app.extensions["draining"] = (services.long_polls, services.connections, services.reporter)
    register_hooks(app, services)
    for blueprint in build_blueprints(services):
        app.register_blueprint(blueprint)
    problems.register(app)
    if settings.access_log:
        access_log.register(app)
    if settings.cors_origins:
        CORS(app, origins=settings.allowed_origins, expose_headers=EXPOSED)
    return app


def _read_paths(app: Flask, settings: Settings) -> None:
    """Let the app read paths as they were sent, with and without the prefix of a reverse proxy."""
    # Otherwise Flask answers `//` with a redirect, whose address ignores the proxies in front of the service.
    app.url_map.merge_slashes = False
    app.url_map.converters["default"] = Segment
    if settings.root_path:
        app.wsgi_app = RootPath(app.wsgi_app, settings.root_path)  # type: ignore[method-assign]  # as Flask documents it
    app.wsgi_app = EncodedPath(app.wsgi_app)  # type: ignore[method-assign]
