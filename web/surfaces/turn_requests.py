"""The request of a turn from a caller of another protocol."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import g

from turns.domain.assistant import Assistant
from turns.domain.turn_request import TurnRequest
from web.http.request_span import get_traceparent
from web.http.validation import ResolveParts, to_request
from web.schemas.requests import SubmitBody
from web.security.token_bounds import bind_request


def to_turn_request(
    fields: Mapping[str, Any],
    model: type[SubmitBody],
    *,
    find: Callable[[str], Assistant],
    idempotency_key: str | None,
    resolve_parts: ResolveParts = lambda *_: (),
) -> TurnRequest:
    """Return the caller's request with these fields. Raises like `to_request` and `bind_request`."""
    return bind_request(
        to_request(
            fields,
            model,
            find=find,
            idempotency_key=idempotency_key,
            traceparent=get_traceparent(),
            tenant=g.caller.tenant,
            request_id=g.request_id,
            key_id=g.caller.key_id,
            resolve_parts=resolve_parts,
        )
    )
