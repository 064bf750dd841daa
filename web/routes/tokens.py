"""The route with which a backend gets an access token for its page."""

import time
from collections.abc import Callable

from flask import Blueprint, Response, g

from turns.access.access_token import PAGE_SCOPES, UNSIGNED, AccessToken
from turns.access.api_keys import ApiKeyStore
from turns.domain.errors import Forbidden, InvalidRequest, TurnExpired, TurnNotFound, Unauthenticated
from turns.domain.turn import Turn
from web.http.responses import read_json_body, reply
from web.http.validation import parse_body
from web.openapi.operation import Operation, ResponseSpec
from web.schemas import tokens as schema
from web.security.auth import WRONG_KEY

MAX_BODY_BYTES = 8 * 1024


def build_tokens(api_keys: ApiKeyStore, get_turn: Callable[..., Turn]) -> Blueprint:
    api = Blueprint("tokens", __name__)

    @Operation(
        id="create_token",
        method="post",
        path="/v1/tokens",
        summary="Create a short-lived token that a web page may hold, bound to a user, a session or a turn",
        body=schema.TokenBody,
        responses={201: ResponseSpec("The token", schema.AccessToken)},
        refusals=(TurnNotFound, TurnExpired),
    ).on(api)
    def create_token() -> Response:
        body = parse_body(schema.TokenBody, read_json_body(max_bytes=MAX_BODY_BYTES))
        _check_subject(body)
        if body.turn_id:
            get_turn(body.turn_id, tenant=g.caller.tenant)
        key_id, secret = _signer(api_keys)
        token = AccessToken(
            key_id=key_id,
            expires_at=int(time.time()) + body.expires_in,
            scopes=_scopes(body),
            user_id=body.user_id,
            session_id=body.session_id,
            turn_id=body.turn_id,
        )
        return reply(_to_response(token, token.sign(secret)), 201)

    return api


def _check_subject(body: schema.TokenBody) -> None:
    if body.turn_id and (body.user_id or body.session_id):
        raise InvalidRequest("turn_id", "must be alone: a turn has its session and user")
    if not (body.turn_id or body.user_id or body.session_id):
        raise InvalidRequest("user_id", "is required, unless session_id or turn_id is given")


def _signer(api_keys: ApiKeyStore) -> tuple[str, str]:
    """Return the id of the caller's key and the secret with which it signs. Raises `Unauthenticated`."""
    if g.caller.key_id is None:
        return UNSIGNED, UNSIGNED
    found = api_keys.find_signer(g.caller.key_id)
    if found is None:
        raise Unauthenticated(WRONG_KEY)  # it was revoked within the last seconds
    return g.caller.key_id, found[1]


def _scopes(body: schema.TokenBody) -> tuple[str, ...]:
    """Return the scopes of the token. Raises `Forbidden` for one that the caller's key has not."""
    allowed = [str(scope) for scope in PAGE_SCOPES if scope in g.caller.scopes]
    scopes = body.scopes or allowed
    if missing := set(scopes).difference(allowed):
        raise Forbidden(f"scopes: your key has no scope {' or '.join(sorted(missing))}.")
    return tuple(scopes)


def _to_response(token: AccessToken, text: str) -> schema.AccessToken:
    return schema.AccessToken(
        token=text,
        user_id=token.user_id,
        session_id=token.session_id,
        turn_id=token.turn_id,
        scopes=token.scopes,
        expires_at=token.expires_at * 1000,
    )
