"""The routes that change what a session has committed."""

from collections.abc import Callable

from flask import Blueprint, Response, g, request

from turns.domain.assistant import Assistant, Lane
from turns.domain.errors import AssistantNotFound, SessionBusy, SessionChanged, TurnNotCommitted, TurnNotLast
from turns.domain.turn import OnBusy
from turns.edits.regeneration import Changes, Origin, Regeneration
from turns.store.turns import TurnStore
from web.http.request_span import get_traceparent
from web.http.responses import read_optional_json_body
from web.http.session_versions import read_if_match
from web.http.validation import parse_body, parse_idempotency_key, parse_traceparent
from web.openapi.operation import RESUBMITTED, Operation
from web.routes.turns import ACCEPTED, ESCAPED_BYTES, MAX_OTHER_BYTES, MISSING, reply_accepted
from web.schemas.edits import RegenerateBody, regenerate_body
from web.streaming.long_poll import LongPolls


def build_edits(
    store: TurnStore, long_polls: LongPolls, find: Callable[[str], Assistant], *, max_input_bytes: int
) -> Blueprint:
    """`find` returns an assistant by its name, or raises `AssistantNotFound`."""
    api = Blueprint("edits", __name__)
    model = regenerate_body(max_input_bytes)
    max_body_bytes = ESCAPED_BYTES * max_input_bytes + MAX_OTHER_BYTES
    regeneration = Regeneration(store, find)

    @Operation(
        id="regenerate",
        method="post",
        path="/v1/turns/{turn_id}/regenerate",
        summary="Answer the last committed question of a session again, or another one in its place",
        body=model,
        headers=("Idempotency-Key", "If-Match", "Prefer", "traceparent"),
        responses=ACCEPTED,
        refusals=(
            *MISSING,
            AssistantNotFound,
            TurnNotCommitted,
            TurnNotLast,
            SessionBusy,
            SessionChanged,
            *RESUBMITTED,
        ),
        takes_tokens=True,
    ).on(api)
    def regenerate(turn_id: str) -> Response:
        changes = _to_changes(parse_body(model, read_optional_json_body(max_bytes=max_body_bytes)))
        return reply_accepted(regeneration.regenerate(turn_id, changes, _origin()), long_polls)

    return api


def _to_changes(body: RegenerateBody) -> Changes:
    fields = body.model_dump()
    return Changes(**{**fields, "on_busy": OnBusy(body.on_busy), "lane": Lane(body.lane) if body.lane else None})


def _origin() -> Origin:
    return Origin(
        tenant=g.caller.tenant,
        idempotency_key=parse_idempotency_key(request.headers.get("Idempotency-Key")),
        request_id=g.request_id,
        key_id=g.caller.key_id,
        traceparent=parse_traceparent(get_traceparent()),
        if_version=read_if_match(),
    )
