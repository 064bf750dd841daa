"""The blueprints of the surfaces that this service serves."""

from collections.abc import Callable, Iterator

from flask import Blueprint

from turns.config.settings import Settings
from turns.domain.assistant import Assistant
from turns.store.sessions import SessionStore
from turns.store.turns import TurnStore
from web.security.auth import Authenticator
from web.streaming.sse import EventStreams
from web.surfaces.ai_sdk.chats import Chats
from web.surfaces.ai_sdk.routes import CAN_RESET, build_ai_sdk


def build_surfaces(
    settings: Settings,
    *,
    store: TurnStore,
    sessions: SessionStore,
    streams: EventStreams,
    authenticator: Authenticator,
    find: Callable[[str], Assistant],
) -> Iterator[Blueprint]:
    """Yield the blueprints that `INTURN_SURFACES` names. `find` returns an assistant by its name."""
    if "ai_sdk" in settings.served_surfaces:
        for release in CAN_RESET:
            yield build_ai_sdk(
                Chats(store, sessions, find),
                streams,
                store.cancel,
                authenticator,
                find=find,
                release=release,
                max_input_bytes=settings.max_input_bytes,
            )
