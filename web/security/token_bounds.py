"""The names that a request with an access token may contain: the user, session or turn to which the token is bound.

A request that names none is about those of the token. One that names others is refused, whether they exist or not.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from flask import current_app, g
from pydantic import BaseModel

from turns.access.access_token import AccessToken
from turns.domain.errors import Forbidden, TurnNotFound
from turns.domain.turn_request import TurnRequest

EXTENSION = "get_turn"  # the key in `Flask.extensions` under which an app has `TurnStore.get_turn` or what replaces it
NO_TOKEN = "This needs an API key; an access token is for what a page does."  # noqa: S105
Model = TypeVar("Model", bound=BaseModel)


def bind(path: Mapping[str, Any], query: Model, *, takes_tokens: bool) -> Model:
    """Return the query of the present request with the user and session of the caller's token, if it has one.

    `path`: the parameters of the path. Raises `Forbidden` if the operation takes no tokens, or if the request names
    another user or session, and `TurnNotFound` for a turn that the token does not cover.
    """
    token: AccessToken | None = g.caller.token
    if token is None:
        return query
    if not takes_tokens:
        raise Forbidden(NO_TOKEN)
    if "turn_id" in path:
        turn = current_app.extensions[EXTENSION](path["turn_id"], tenant=g.caller.tenant)
        if not token.covers(turn.id, turn.session, turn.tenant):
            raise TurnNotFound
        return query
    named = {name: value for name, value in query if name in {"user_id", "session_id"}}
    asked = {**named, **path}
    if token.session_id and "user_id" in named and "session_id" not in asked:  # a list of a user's sessions
        raise Forbidden(f"This token is for session {token.session_id} alone.")
    session_id, user_id = _bind_names(token, asked.get("session_id"), asked.get("user_id"))
    bound = {"session_id": session_id, "user_id": user_id}
    return query.model_copy(update={name: bound[name] for name in named})


def bind_request(request: TurnRequest) -> TurnRequest:
    """Return the request with the user of the caller's token, if it has one. Raises `Forbidden` like `bind`."""
    token: AccessToken | None = g.caller.token
    if token is None:
        return request
    _, user_id = _bind_names(token, request.session_id, request.user_id)
    return replace(request, user_id=user_id)


def may_begin_sessions() -> bool:
    """Return whether the caller may begin sessions whose ids it does not name: its token is not for one alone."""
    token: AccessToken | None = g.caller.token
    return token is None or not (token.session_id or token.turn_id)


def check_new_session() -> None:
    """Raise `Forbidden` unless the caller may begin sessions."""
    if not may_begin_sessions():
        raise Forbidden("This token is for one session alone.")


def _bind_names(token: AccessToken, session_id: str | None, user_id: str | None) -> tuple[str | None, str | None]:
    """Return the session and user of a request, given those that it names, or None where it names none."""
    if token.turn_id:
        raise Forbidden(f"This token is for {token.turn_id} alone.")
    if token.session_id:
        session_id = _bound("session_id", session_id, token.session_id)
    return session_id, _bound("user_id", user_id, token.user_id)


def _bound(name: str, given: str | None, allowed: str | None) -> str | None:
    if given not in {None, allowed}:
        raise Forbidden(f"{name}: this token is for {'no user' if allowed is None else allowed} alone.")
    return allowed
