"""The conversations of the present caller."""

from typing import Any

from flask import g, request
from pydantic import BaseModel, ConfigDict, Field

from turns.domain.errors import InvalidRequest, SessionNotFound
from turns.domain.session import Session
from web.http.validation import parse_id
from web.schemas.field_types import Metadata, MetadataName
from web.schemas.queries import SessionQuery
from web.schemas.requests import MAX_METADATA
from web.security.token_bounds import bind
from web.services import Services
from web.surfaces.openai.conversations.items import to_item
from web.surfaces.openai.ids import conversation_created_at
from web.surfaces.openai.names import ConversationName, read_user
from web.surfaces.openai.responses.requests import read_messages
from web.surfaces.openai.unsupported import UnsupportedParameter

MAX_BODY_BYTES = 8 * 1024 * 1024
MAX_ITEMS = 20  # of one call, as the protocol has it
LATER = "can be set when the conversation has its first item"


class ConversationBody(BaseModel):
    """The bodies that create or change a conversation, or add items to it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    items: list[dict[str, Any]] | None = Field(None, max_length=MAX_ITEMS)
    metadata: dict[MetadataName, Metadata] | None = Field(None, max_length=MAX_METADATA)


class ConversationStore:
    """Conversations of the present caller."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def read(self, name: ConversationName) -> dict[str, Any]:
        """Return a conversation; one that this service has named exists before its first item."""
        try:
            return to_conversation(name.id, self._services.sessions.get_session(name.session))
        except SessionNotFound:
            if conversation_created_at(name.id) is None:
                raise
            return to_conversation(name.id, None)

    def add(self, name: ConversationName, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Begin a conversation with these items. Raises `SessionNotEmpty` if it has others."""
        messages = read_messages(items, "items")
        if messages[0].role != "user":
            raise InvalidRequest("items.0.role", "must be user: a history starts with a message of the user")
        self._services.sessions.import_messages(messages, session_id=name.id, user_id=name.user_id, tenant=name.tenant)
        return [to_item(message) for message in messages]

    def label(self, name: ConversationName, metadata: dict[str, str]) -> None:
        """Replace the metadata of a conversation. Raises `UnsupportedParameter` before it has an item."""
        try:
            present = self._services.sessions.get_session(name.session).metadata
        except SessionNotFound:
            raise UnsupportedParameter("metadata", LATER) from None
        removed = dict.fromkeys(set(present).difference(metadata))
        self._services.conversations.patch(
            name.id, {"metadata": {**removed, **metadata}}, user_id=name.user_id, tenant=name.tenant
        )


def to_conversation(name: str, session: Session | None) -> dict[str, Any]:
    created_at = session.created_at if session else None
    created_at = created_at or conversation_created_at(name) or 0
    metadata = dict(session.metadata) if session else {}
    return {"id": name, "object": "conversation", "created_at": created_at // 1000, "metadata": metadata}


def name_conversation(conversation_id: str) -> ConversationName:
    """Return the conversation of the path. Raises `InvalidRequest` or `Forbidden`."""
    given = SessionQuery(user_id=read_user(request))
    user_id = bind({"session_id": conversation_id}, given, takes_tokens=True).user_id
    return ConversationName(parse_id("conversation_id", conversation_id), user_id, g.caller.tenant)
