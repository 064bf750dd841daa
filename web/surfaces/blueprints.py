"""The blueprints of the surfaces that this service serves."""

from collections.abc import Iterator

from flask import Blueprint

from web.services import Services
from web.surfaces.ai_sdk.chats import Chats
from web.surfaces.ai_sdk.files import MessageFiles
from web.surfaces.ai_sdk.routes import CAN_RESET, build_ai_sdk
from web.surfaces.langserve.routes import LangServe, build_langserve
from web.surfaces.openai.blueprint import build_openai


def build_surfaces(services: Services) -> Iterator[Blueprint]:
    """Yield the blueprints that `INTURN_SURFACES` names."""
    served = services.settings.served_surfaces
    if "ai_sdk" in served:
        yield from _build_ai_sdk(services)
    if "langserve" in served:
        yield from _build_langserve(services)
    if "openai" in served:
        yield build_openai(services)


def _build_ai_sdk(services: Services) -> Iterator[Blueprint]:
    settings, store = services.settings, services.store
    for release in CAN_RESET:
        yield build_ai_sdk(
            Chats(store, services.sessions, services.regeneration),
            services.streams,
            store.cancel,
            services.authenticator,
            find=services.registry.find,
            files=MessageFiles(services.files, settings.max_file_bytes),
            resolve_parts=services.resolve_parts,
            release=release,
            max_input_bytes=settings.max_input_bytes,
        )


def _build_langserve(services: Services) -> Iterator[Blueprint]:
    settings, find = services.settings, services.registry.find
    service = LangServe(
        services.store,
        streams=services.streams,
        long_polls=services.long_polls,
        authenticator=services.authenticator,
        max_input_bytes=settings.max_input_bytes,
    )
    yield build_langserve(service, find, name="langserve", prefix="/langserve/<assistant>")
    if root := settings.langserve_root:
        yield build_langserve(service, find, name="langserve_root", prefix="", root=root)
