"""The blueprints of the surfaces that this service serves."""

from collections.abc import Iterator

from flask import Blueprint

from turns.assistants.registry import AssistantRegistry
from turns.config.settings import Settings
from turns.edits.regeneration import Regeneration
from turns.files.store import FileStore
from turns.store.sessions import SessionStore
from turns.store.turns import TurnStore
from web.http.parts import PartResolver
from web.security.auth import Authenticator
from web.streaming.long_poll import LongPolls
from web.streaming.sse import EventStreams
from web.surfaces.ai_sdk.chats import Chats
from web.surfaces.ai_sdk.files import MessageFiles
from web.surfaces.ai_sdk.routes import CAN_RESET, build_ai_sdk
from web.surfaces.langserve.routes import LangServe, build_langserve
from web.surfaces.openai.blueprint import build_openai
from web.surfaces.openai.services import Services


def build_surfaces(
    settings: Settings,
    *,
    store: TurnStore,
    sessions: SessionStore,
    regeneration: Regeneration,
    streams: EventStreams,
    long_polls: LongPolls,
    authenticator: Authenticator,
    registry: AssistantRegistry,
    openai: Services,
    files: FileStore,
) -> Iterator[Blueprint]:
    """Yield the blueprints that `INTURN_SURFACES` names."""
    if "ai_sdk" in settings.served_surfaces:
        for release in CAN_RESET:
            yield build_ai_sdk(
                Chats(store, sessions, regeneration),
                streams,
                store.cancel,
                authenticator,
                find=registry.find,
                files=MessageFiles(files, settings.max_file_bytes),
                resolve_parts=PartResolver(files, max_bytes=settings.model_file_bytes).resolve,
                release=release,
                max_input_bytes=settings.max_input_bytes,
            )
    if "langserve" in settings.served_surfaces:
        service = LangServe(
            store,
            streams=streams,
            long_polls=long_polls,
            authenticator=authenticator,
            max_input_bytes=settings.max_input_bytes,
        )
        yield build_langserve(service, registry.find, name="langserve", prefix="/langserve/<assistant>")
        if root := settings.langserve_root:
            yield build_langserve(service, registry.find, name="langserve_root", prefix="", root=root)
    if "openai" in settings.served_surfaces:
        yield build_openai(openai)
