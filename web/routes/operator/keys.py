"""The routes with which administrators create, list, rotate and revoke API keys."""

import time
from collections.abc import Callable

from flask import Blueprint, Response, g

from turns.access.api_key import ApiKey, Scope
from turns.access.api_keys import KEY_CACHE_SECONDS, ApiKeyStore
from turns.access.key_record import KeyRecord
from turns.config import commands
from turns.config.logs import Log, get_logger
from turns.domain.errors import Forbidden, KeyExists, KeyNotActive, KeyNotFound, LastKey
from turns.operations.key_turns import Cancellation
from web.http.responses import read_json_body, reply
from web.http.validation import parse_body
from web.openapi.operation import Operation, ResponseSpec
from web.schemas.operator import keys as schema
from web.schemas.response_model import Page
from web.security.audit import audit

MAX_BODY_BYTES = 16 * 1024
MAX_CANCELLED = 500  # turns that one request cancels, which takes a second or two
GUARDED_SCOPES = (Scope.ADMIN, Scope.OPERATOR)  # without a key of these, nothing can be repaired over HTTP
FIRST_KEY = f"This service has no API key yet. Create the first one on its machine: {commands.CREATE_KEY}"

Cancel = Callable[..., Cancellation]


def build_operator_keys(api_keys: ApiKeyStore, record: KeyRecord | None, cancel_turns: Cancel) -> Blueprint:
    """`record` is that of the embedded store; `cancel_turns` cancels the live turns of a key."""
    api = Blueprint("operator_keys", __name__)

    @Operation(
        id="list_keys",
        method="get",
        path="/operator/keys",
        summary="List the API keys, newest first, with those that ended within 90 days",
        query=schema.KeysQuery,
        responses={200: ResponseSpec("A page, which may be short or empty and not the last", Page[schema.ApiKey, int])},
    ).on(api)
    def list_keys(query: schema.KeysQuery) -> Response:
        page = api_keys.list_page(tenant=query.tenant, after=query.after, limit=query.limit)
        return reply(Page[schema.ApiKey, int].of(page.keys, page.after))

    @Operation(
        id="create_key",
        method="post",
        path="/operator/keys",
        summary="Create an API key; its text is in no other response",
        body=schema.NewKeyBody,
        responses={201: ResponseSpec("The key with its text", schema.CreatedApiKey)},
        refusals=(KeyExists,),
    ).on(api)
    def create_key() -> Response:
        _check_caller_has_key()
        body = parse_body(schema.NewKeyBody, read_json_body(max_bytes=MAX_BODY_BYTES))
        text, key = api_keys.create_key(
            body.tenant,
            body.scopes,
            lifetime_seconds=body.lifetime_seconds,
            label=body.label,
            key_id=body.id,
            created_by=g.caller.key_id,
        )
        _remember(record, KeyRecord.require_keys)
        audit("create_key", key.id, tenant=key.tenant, **key.details)
        return reply(schema.CreatedApiKey.of(key, text), 201)

    @Operation(
        id="rotate_key",
        method="post",
        path="/operator/keys/{key_id}/rotate",
        summary="Create a successor of an API key, which itself ends after an overlap",
        body=schema.RotateKeyBody,
        responses={201: ResponseSpec("The successor with its text", schema.CreatedApiKey)},
        refusals=(KeyNotFound, KeyNotActive, KeyExists),
    ).on(api)
    def rotate_key(key_id: str) -> Response:
        _check_caller_has_key()
        body = parse_body(schema.RotateKeyBody, read_json_body(max_bytes=MAX_BODY_BYTES))
        text, key, old = api_keys.rotate_key(
            key_id, overlap_seconds=body.overlap_seconds, new_id=body.id, by=g.caller.key_id
        )
        _remember(record, lambda file: file.add_rotated(old.id, ends_at=old.expires_at or 0))
        audit("rotate_key", old.id, tenant=key.tenant, reason=body.reason, replaced_by=key.id, **key.details)
        return reply(schema.CreatedApiKey.of(key, text), 201)

    @Operation(
        id="revoke_key",
        method="post",
        path="/operator/keys/{key_id}/revoke",
        summary="Revoke an API key, and on request cancel the live turns that were accepted with it",
        query=schema.RevokeQuery,
        responses={200: ResponseSpec("The key, and the number of cancelled turns", schema.RevokedKey)},
        refusals=(KeyNotFound, LastKey),
    ).on(api)
    def revoke_key(key_id: str, query: schema.RevokeQuery) -> Response:
        if not query.even_last:
            _check_not_last(api_keys, key_id)
        key = api_keys.revoke_key(key_id, by=g.caller.key_id)
        _remember(record, lambda file: file.add_revoked(key.id))
        cancelled = _cancel(cancel_turns, key) if query.cancel else Cancellation(count=0, has_more=False)
        details = {"cancelled": cancelled.count} if query.cancel else {}
        audit("revoke_key", key.id, tenant=key.tenant, reason=query.reason, **details)
        return reply(schema.RevokedKey.of(key, cancelled))

    return api


def _check_caller_has_key() -> None:
    """Raise `Forbidden` while there are no keys: the first one would lock all other callers out."""
    if g.caller.key_id is None:
        raise Forbidden(FIRST_KEY)


def _check_not_last(api_keys: ApiKeyStore, key_id: str) -> None:
    """Raise `LastKey` if no other active key has a scope of this one without which nothing can be repaired."""
    active = api_keys.list_keys()
    scopes = next((key.scopes for key in active if key.id == key_id), frozenset())
    for scope in GUARDED_SCOPES:
        if scope in scopes and not any(scope in key.scopes for key in active if key.id != key_id):
            raise LastKey(scope)


def _cancel(cancel_turns: Cancel, key: ApiKey) -> Cancellation:
    """Cancel the live turns of an ended key, as soon as no endpoint can accept another one with it."""
    ended_at = key.revoked_at or key.expires_at or 0
    time.sleep(min(max(0.0, ended_at / 1000 + KEY_CACHE_SECONDS - time.time()), KEY_CACHE_SECONDS))
    return cancel_turns(key, limit=MAX_CANCELLED)


def _remember(record: KeyRecord | None, write: Callable[[KeyRecord], None]) -> None:
    """Write to the data directory of the embedded store. The store has already changed, so an error is only logged."""
    if record:
        try:
            write(record)
        except OSError as error:
            get_logger().error(Log.KEY_RECORD_FAILED, error=str(error))
