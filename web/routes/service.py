"""The routes about the service: health, metrics, assistants and the description of the API."""

import json
from functools import cache
from typing import Any

from flask import Blueprint, Response, current_app, render_template

from turns.assistants.overrides import settings_for
from turns.assistants.registry import AssistantRegistry
from turns.config import commands
from turns.config.settings import Settings
from turns.config.version import VERSION
from turns.store.health import Readiness
from turns.store.turns import TurnStore
from turns.usage.store import UsageStore
from web.http.responses import JSON, check_accept, reply
from web.openapi.operation import EXTENSION, Operation, ResponseSpec
from web.openapi.schema_text import coded, described, words
from web.routes.assets import Assets
from web.schemas import responses
from web.schemas.links import link
from web.schemas.response_model import Page
from web.schemas.service import Live, Ready

DOCS_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def build_health(store: TurnStore, usage: UsageStore) -> Blueprint:
    api = Blueprint("health", __name__)

    @Operation(
        id="livez",
        method="get",
        path="/livez",
        summary="Check whether the process is up",
        query=None,
        responses={200: ResponseSpec("The process is up", Live)},
        uses_store=False,
    ).on(api)
    def livez() -> Response:
        return reply(Live())

    @Operation(
        id="readyz",
        method="get",
        path="/readyz",
        summary="Check whether turns can be accepted and run",
        query=None,
        responses={
            200: ResponseSpec("The store takes writes and is safe, and no worker is missing", Ready),
            503: ResponseSpec(
                "The store refuses writes or may evict turns, no worker is alive, or the store cannot be reached "
                "(then a problem)",
                Ready,
            ),
        },
    ).on(api)
    def readyz() -> Response:
        health = store.read_health()
        ready = Ready(
            status=health.readiness,
            refusal=health.refusal or None,
            durability=health.durability,
            replicas=health.replicas,
            eviction_policy=health.memory.eviction_policy,
            live_workers=health.live_workers,
            live_turns=health.live_turns,
            partitions_away=health.partitions_away,
            version=VERSION,
        )
        return reply(ready, status=200 if health.readiness is Readiness.OK else 503)

    @Operation(
        id="metrics",
        method="get",
        path="/metrics",
        summary="Get the metrics, in the text format of Prometheus",
        query=None,
        responses={200: ResponseSpec("The metrics", kind="text/plain")},
        negotiates=False,
    ).on(api)
    def metrics() -> Response:
        # Loaded on demand: prometheus_client takes a megabyte, which services that are not scraped save.
        from web.schemas.exposition import KIND, expose  # noqa: PLC0415

        usage.try_to_fold()  # which counts the tokens
        return Response(expose(store.read_metrics()), content_type=KIND)

    return api


def build_description(registry: AssistantRegistry, settings: Settings, assets: Assets) -> Blueprint:
    api = Blueprint("description", __name__)

    @Operation(
        id="assistants",
        method="get",
        path="/v1/assistants",
        summary="List the configured assistants",
        responses={200: ResponseSpec("All assistants", Page[responses.Assistant, str])},
        uses_store=False,
    ).on(api)
    def assistants() -> Response:
        data = (
            responses.Assistant(
                name=assistant.name,
                description=assistant.description,
                model=settings_for(assistant, settings).model_name,
                lane=assistant.lane,
                variables=assistant.variables,
                max_input_bytes=settings.max_input_bytes,
                accepts=tuple(assistant.accepts),
            )
            for assistant in registry.all_assistants().values()
        )
        return reply(Page[responses.Assistant, str].of(data, None))

    @cache
    def document() -> dict[str, Any]:
        # Loaded on demand, because serving requests needs neither the module nor its megabytes of schemas.
        from web.openapi.document import describe  # noqa: PLC0415

        return describe(current_app.extensions[EXTENSION])

    @api.get("/openapi.json")
    def openapi() -> Response:
        check_accept()
        servers = {"servers": [{"url": link("")}]} if link("") else {}
        return Response(json.dumps({**document(), **servers}), content_type=JSON)

    @api.get("/docs")
    def docs() -> Response:
        from web.openapi import docs_page  # noqa: PLC0415  # for the same reason

        page = render_template(
            "docs.html",
            api=document(),
            page=docs_page,
            commands=commands,
            words=words,
            described=described,
            coded=coded,
            asset=assets.url,
            link=link,
        )
        response = Response(page, content_type="text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = DOCS_POLICY
        return response

    return api
