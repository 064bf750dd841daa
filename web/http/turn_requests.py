"""The request for a turn that a caller makes, also with the protocol of another client."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from flask import g

from turns.domain.assistant import Assistant, Lane
from turns.domain.content.parts import Part, text_of
from turns.domain.errors import InvalidRequest
from turns.domain.turn_request import OnBusy, TurnRequest
from web.http.request_span import get_traceparent
from web.http.validation import validate
from web.schemas.parts import PartBody
from web.schemas.requests import SubmitBody, parts_body
from web.security.token_bounds import bind_request

ResolveParts = Callable[[Sequence[PartBody], str, str | None], tuple[Part, ...]]

# https://www.w3.org/TR/trace-context/#traceparent-header, version 00
TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def to_turn_request(
    fields: Mapping[str, Any],
    model: type[SubmitBody],
    *,
    find: Callable[[str], Assistant],
    idempotency_key: str | None,
    if_version: int | None = None,
    resolve_parts: ResolveParts = lambda *_: (),
) -> TurnRequest:
    """Return the request of the present caller for a turn with these fields.

    `model` is the body of `POST /v1/turns` with the limits of this service; `find` returns an assistant by its name.
    `resolve_parts` returns the parts of an input that is a list, for a tenant and a user. Raises `InvalidRequest`, or
    like `find` and `bind_request`.
    """
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
            if_version=if_version,
            resolve_parts=resolve_parts,
        )
    )


def to_request(
    fields: Mapping[str, Any],
    model: type[SubmitBody],
    *,
    find: Callable[[str], Assistant],
    idempotency_key: str | None,
    traceparent: str | None,
    tenant: str,
    request_id: str,
    key_id: str | None = None,
    if_version: int | None = None,
    resolve_parts: ResolveParts = lambda *_: (),
) -> TurnRequest:
    """Validate the fields of a turn. Raises `InvalidRequest`, or like `find`."""
    has_parts = isinstance(fields.get("input"), list)
    body = validate(parts_body(model) if has_parts else model, fields)
    assistant = find(body.assistant)
    assistant.check_variables(body.variables)
    parts: tuple[Part, ...] = ()
    if has_parts:
        parts = resolve_parts(cast(Sequence[PartBody], body.input), tenant, body.user_id)
        assistant.check_parts(parts)
        _check_size(parts, model.max_input_bytes)
    return TurnRequest(
        session_id=body.session_id,
        input=text_of(parts) if has_parts else body.input,
        parts=parts,
        user_id=body.user_id,
        tenant=tenant,
        assistant=assistant,
        variables=body.variables,
        metadata=body.metadata,
        on_busy=OnBusy(body.on_busy),
        lane=Lane(body.lane) if body.lane else None,
        start_within_seconds=body.start_within_seconds,
        response_format=body.response_format.to_json() if body.response_format else None,
        idempotency_key=idempotency_key,
        traceparent=parse_traceparent(traceparent),
        request_id=request_id,
        key_id=key_id,
        if_version=if_version,
    )


def _check_size(parts: Sequence[Part], max_bytes: int) -> None:
    if sum(len(part.text.encode()) for part in parts) > max_bytes:
        raise InvalidRequest("input", f"must have at most {max_bytes} bytes of text in all parts")


def parse_traceparent(value: str | None) -> str | None:
    """Return the value; None for a malformed one, which its standard requires to ignore."""
    return value if value and TRACEPARENT.fullmatch(value) else None
