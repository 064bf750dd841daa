"""The routes about the service itself: its health, its assistants, its own description."""

from typing import TYPE_CHECKING

from flask import Blueprint, Response, render_template, request

from turns.assistants.overrides import settings_for
from turns.assistants.registry import AssistantRegistry
from turns.config.settings import Settings
from turns.config.version import VERSION
from turns.store.turns import TurnStore
from web.http.responses import JSON, check_accept, reply
from web.http.validation import parse_query
from web.openapi.schema_text import coded, words
from web.routes.assets import Assets
from web.schemas import responses, serializers
from web.schemas.requests import NoQuery

if TYPE_CHECKING:
    from web.openapi.document import Document

DOCS_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def build_health(store: TurnStore) -> Blueprint:
    api = Blueprint("health", __name__)

    @api.get("/livez")
    def livez() -> Response:
        check_accept()
        return reply(responses.Live())

    @api.get("/readyz")
    def readyz() -> Response:
        check_accept()
        health = store.read_health()
        ready = responses.Ready(
            status="ok" if health.is_safe else "unsafe",
            durability=health.durability,
            replicas=health.replicas,
            eviction_policy=health.eviction_policy,
            live_workers=health.live_workers,
            live_turns=health.live_turns,
            version=VERSION,
        )
        return reply(ready, status=200 if health.is_safe else 503)

    @api.get("/metrics")
    def metrics() -> Response:
        # A megabyte, which a service that nobody scrapes does without.
        from web.schemas.exposition import KIND, expose  # noqa: PLC0415

        return Response(expose(store.read_metrics()), content_type=KIND)

    return api


def build_about(registry: AssistantRegistry, settings: Settings, assets: Assets) -> Blueprint:
    about = Blueprint("about", __name__)

    @about.get("/v1/assistants")
    def assistants() -> Response:
        check_accept()
        parse_query(NoQuery, request.args.items(multi=True))
        data = tuple(
            serializers.to_assistant(assistant, model=settings_for(assistant, settings).model_name)
            for assistant in registry.all_assistants().values()
        )
        return reply(responses.Page[responses.Assistant, str](data=data, has_more=False, after=None))

    @about.get("/openapi.json")
    def openapi() -> Response:
        check_accept()
        return Response(_document().as_json, content_type=JSON)

    @about.get("/docs")
    def docs() -> Response:
        response = Response(
            render_template("docs.html", api=_document().as_dict, words=words, coded=coded, asset=assets.url),
            content_type="text/html; charset=utf-8",
        )
        response.headers["Content-Security-Policy"] = DOCS_POLICY
        return response

    return about


def _document() -> "Document":
    """Whoever asks first waits for it: serving needs none."""
    from web.openapi.document import document  # noqa: PLC0415

    return document()
