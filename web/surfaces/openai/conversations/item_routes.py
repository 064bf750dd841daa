"""The routes of `client.conversations.items`."""

from flask import Blueprint, Response, g, jsonify, request
from pydantic import Field

from turns.config.logs import Log, get_logger
from turns.domain.errors import InvalidRequest
from web.http.urls import read_query
from web.http.validation import parse_query, validate
from web.schemas.queries import Query
from web.services import Services
from web.surfaces.openai.content import to_listing
from web.surfaces.openai.conversations.items import find_message, list_items, to_item
from web.surfaces.openai.conversations.store import (
    MAX_BODY_BYTES,
    ConversationBody,
    ConversationStore,
    name_conversation,
)
from web.surfaces.openai.responses.routes import read_object


class ItemsQuery(Query):
    after: str | None = None
    limit: int = Field(20, ge=1, le=100)
    order: str = Field("desc", pattern="^(asc|desc)$")


def build_items(services: Services) -> Blueprint:
    api = Blueprint("conversation_items", __name__, url_prefix="/conversations/<conversation_id>/items")
    store = ConversationStore(services)

    @api.get("")
    def list_(conversation_id: str) -> Response:
        name = name_conversation(conversation_id)
        query = parse_query(ItemsQuery, ((key, value) for key, value in read_query(request) if key != "include[]"))
        after = find_message(services.sessions, name.session, query.after).number if query.after else None
        items, has_more = list_items(
            services.sessions, name.session, after=after, limit=query.limit, newest_first=query.order == "desc"
        )
        if not items:
            store.read(name)  # raises `SessionNotFound`
        return jsonify(to_listing(items, has_more=has_more))

    @api.post("")
    def create_items(conversation_id: str) -> Response:
        name = name_conversation(conversation_id)
        body = validate(ConversationBody, read_object(max_bytes=MAX_BODY_BYTES))
        if not body.items:
            raise InvalidRequest("items", "is required")
        return jsonify(to_listing(store.add(name, body.items), has_more=False))

    @api.get("/<name>")
    def retrieve_item(conversation_id: str, name: str) -> Response:
        return jsonify(to_item(find_message(services.sessions, name_conversation(conversation_id).session, name)))

    @api.delete("/<name>")
    def delete_item(conversation_id: str, name: str) -> Response:
        conversation = name_conversation(conversation_id)
        turn_id = find_message(services.sessions, conversation.session, name).turn_id
        if turn_id is None:
            raise InvalidRequest("item_id", "must be of a response: items that were added stay")
        services.deletion.delete(turn_id, tenant=g.caller.tenant)
        get_logger().info(Log.TURN_DELETED, turn_id=turn_id)
        return jsonify(store.read(conversation))

    return api
