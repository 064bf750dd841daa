"""All routes of a web process, with the parts that each of them needs."""

from collections.abc import Iterator

from flask import Blueprint

from web.routes.assets import Assets, build_assets
from web.routes.edits import build_edits
from web.routes.feed import build_feed
from web.routes.files import build_files
from web.routes.operator.actions import build_operator_actions
from web.routes.operator.audit import build_operator_audit
from web.routes.operator.cancellations import build_operator_cancellations
from web.routes.operator.failed import build_operator_failed
from web.routes.operator.holds import build_operator_holds
from web.routes.operator.jobs import build_operator_jobs
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
from web.services import Services
from web.surfaces.blueprints import build_surfaces


def build_blueprints(services: Services) -> Iterator[Blueprint]:
    """Yield the blueprints of the API, the operator's API, the pages, and the protocols of other clients."""
    assets = Assets()
    yield from _build_conversations(services)
    yield build_description(services.registry, services.settings, assets)
    yield from _build_operator_api(services)
    yield build_tokens(services.api_keys, services.reads.get_turn)
    yield build_usage(services.usage)
    yield build_health(services.store, services.usage)
    yield build_pages(assets)
    yield build_assets(assets)
    yield from build_surfaces(services)


def _build_conversations(services: Services) -> Iterator[Blueprint]:
    settings, sessions, conversations = services.settings, services.sessions, services.conversations
    long_polls, max_input_bytes = services.long_polls, settings.max_input_bytes
    find, resolve_parts = services.registry.find, services.resolve_parts
    yield build_turns(services.store, long_polls, find, resolve_parts=resolve_parts, max_input_bytes=max_input_bytes)
    yield build_files(services.files, max_bytes=settings.max_file_bytes)
    yield build_edits(
        services.regeneration, services.forks, services.deletion, long_polls, max_input_bytes=max_input_bytes
    )
    yield build_streams(services.streams, services.session_streams, services.authenticator)
    yield build_feed(services.ended_feed, services.authenticator)
    yield build_sessions(sessions, conversations)
    yield build_users(conversations, sessions, services.store, services.erasures)


def _build_operator_api(services: Services) -> Iterator[Blueprint]:
    actions, queries, failed, search = services.actions, services.queries, services.failed, services.search
    yield build_operator_actions(actions, queries)
    yield build_operator_audit(services.audit_log)
    yield build_operator_cancellations(actions, queries)
    yield build_operator_holds(actions, queries)
    yield build_operator_pauses(services.pauses)
    yield build_operator_keys(services.api_keys, services.key_record, actions.cancel_turns_of_key)
    yield build_operator_search(search, queries)
    yield build_operator_tenants(services.tenants, services.pauses, services.usage)
    yield build_operator_failed(failed)
    yield build_operator_jobs(services.jobs, services.selector, services.job_runner)
    yield build_operator_views(queries, search, failed)
    yield build_operator_workers(queries)
    yield build_operator_usage(services.usage)
