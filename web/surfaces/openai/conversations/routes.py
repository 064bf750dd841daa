"""The routes of `client.conversations`."""

from flask import Blueprint, Response, jsonify

from turns.config.logs import Log, get_logger
from turns.domain.errors import InvalidRequest
from web.http.validation import validate
from web.security.token_bounds import check_new_session
from web.services import Services
from web.surfaces.openai.conversations.store import (
    LATER,
    MAX_BODY_BYTES,
    ConversationBody,
    ConversationStore,
    name_conversation,
)
from web.surfaces.openai.ids import new_conversation_id
from web.surfaces.openai.responses.routes import read_object
from web.surfaces.openai.unsupported import UnsupportedParameter


def build_conversations(services: Services) -> Blueprint:
    api = Blueprint("conversations", __name__, url_prefix="/conversations")
    store = ConversationStore(services)

    @api.post("")
    def create() -> Response:
        check_new_session()
        body = validate(ConversationBody, read_object(max_bytes=MAX_BODY_BYTES))
        if body.metadata and not body.items:
            raise UnsupportedParameter("metadata", LATER)
        name = name_conversation(new_conversation_id())
        if body.items:
            store.add(name, body.items)
        if body.metadata:
            store.label(name, body.metadata)
        return jsonify(store.read(name))

    @api.get("/<conversation_id>")
    def retrieve(conversation_id: str) -> Response:
        return jsonify(store.read(name_conversation(conversation_id)))

    @api.post("/<conversation_id>")
    def update(conversation_id: str) -> Response:
        name = name_conversation(conversation_id)
        body = validate(ConversationBody, read_object(max_bytes=MAX_BODY_BYTES))
        if body.items is not None:
            raise InvalidRequest("items", "is not known")
        if body.metadata is not None:
            store.label(name, body.metadata)
        return jsonify(store.read(name))

    @api.delete("/<conversation_id>")
    def delete(conversation_id: str) -> Response:
        name = name_conversation(conversation_id)
        services.sessions.erase(name.session)
        get_logger().info(Log.SESSION_ERASED, session=name.session)
        return jsonify({"id": name.id, "object": "conversation.deleted", "deleted": True})

    return api
