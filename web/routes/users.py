"""The routes of users: what a tenant's user has."""

from flask import Blueprint, Response

from turns.conversations.conversations import Conversations
from web.http.validation import parse_id
from web.openapi.operation import Operation, ResponseSpec
from web.routes.session_lists import reply_sessions
from web.schemas import responses
from web.schemas.requests import SessionFilterQuery


def build_users(conversations: Conversations) -> Blueprint:
    api = Blueprint("users", __name__)

    @Operation(
        id="list_user_sessions",
        method="get",
        path="/v1/users/{user_id}/sessions",
        summary="List the sessions of a user, most recently active first",
        query=SessionFilterQuery,
        responses={200: ResponseSpec("A page", responses.SessionPage)},
    ).on(api)
    def list_user_sessions(user_id: str, query: SessionFilterQuery) -> Response:
        return reply_sessions(conversations, query, parse_id("user_id", user_id))

    return api
