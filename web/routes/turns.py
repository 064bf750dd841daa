"""The routes of turns."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, g, request

from turns.config.logs import Log, get_logger
from turns.domain.assistant import Assistant
from turns.domain.errors import (
    AssistantNotFound,
    FileNotFound,
    InvalidRequest,
    Refused,
    SessionBusy,
    SessionChanged,
    TurnExpired,
    TurnNotFailed,
    TurnNotFound,
)
from turns.domain.ids import session_key
from turns.store.acceptance import Accepted
from turns.store.turns import TurnStore
from web.http.preferences import preferred_wait
from web.http.problems import to_problem
from web.http.responses import read_json_body, read_optional_json_body, reply, reply_turn, with_etag
from web.http.session_versions import read_if_match
from web.http.turn_requests import ResolveParts, to_turn_request
from web.http.validation import parse_batch, parse_body, parse_idempotency_key, parse_object
from web.openapi.operation import RESUBMITTED, Operation, ResponseSpec
from web.schemas import responses
from web.schemas.edits import CancelBody
from web.schemas.links import link
from web.schemas.queries import TurnsQuery, WaitQuery
from web.schemas.requests import BatchBody, SubmitBody, submit_body
from web.schemas.response_model import GatheredPage
from web.streaming.accepted import register_accepted
from web.streaming.long_poll import LongPolls

ESCAPED_BYTES = 6  # of a character of one byte that is sent as \u0041
MAX_OTHER_BYTES = 256 * 1024  # of a submitted turn, besides its input
MAX_BATCH_BYTES = 8 * 1024 * 1024

STOP_SECONDS = 2  # a worker ends a run that was stopped within milliseconds, unless it is frozen or dead

MISSING = (TurnNotFound, TurnExpired)
TURN_HEADERS = ("Retry-After", "Preference-Applied")
ACCEPTED_HEADERS = (*TURN_HEADERS, "Location", "Idempotency-Replayed")
ACCEPTED = {
    202: ResponseSpec("The turn, which is stored and will run", responses.Turn, headers=ACCEPTED_HEADERS),
    200: ResponseSpec(
        "The turn, which has ended within the time of `Prefer: wait`", responses.Turn, headers=ACCEPTED_HEADERS
    ),
}
READ_TURN = Operation(
    id="read_turn",
    method="get",
    path="/v1/turns/{turn_id}",
    summary="Get a turn, now or when it has ended",
    query=WaitQuery,
    headers=("Prefer", "If-None-Match"),
    responses={
        200: ResponseSpec("The turn, whatever its status", responses.Turn, headers=(*TURN_HEADERS, "ETag")),
        304: ResponseSpec("The caller already has this response", headers=("ETag",)),
    },
    refusals=MISSING,
    takes_tokens=True,
)
READ_TASK = replace(
    READ_TURN, id="read_task", path="/v1/tasks/{turn_id}", summary="Get a turn under the name that Celery uses"
)


def build_turns(
    store: TurnStore,
    long_polls: LongPolls,
    find: Callable[[str], Assistant],
    *,
    resolve_parts: ResolveParts,
    max_input_bytes: int,
) -> Blueprint:
    """`find` returns an assistant by its name, or raises `AssistantNotFound`."""
    api = Blueprint("turns", __name__)
    model = submit_body(max_input_bytes)
    max_submit_bytes = ESCAPED_BYTES * max_input_bytes + MAX_OTHER_BYTES

    @Operation(
        id="submit",
        method="post",
        path="/v1/turns",
        summary="Submit a turn",
        body=model,
        headers=("Idempotency-Key", "If-Match", "Prefer", "traceparent"),
        responses=ACCEPTED,
        refusals=(AssistantNotFound, FileNotFound, SessionBusy, SessionChanged, *RESUBMITTED),
        takes_tokens=True,
    ).on(api)
    def submit() -> Response:
        body, version = read_json_body(max_bytes=max_submit_bytes), read_if_match()
        key = parse_idempotency_key(request.headers.get("Idempotency-Key"))
        turn_request = to_turn_request(
            parse_object(body), model, find=find, idempotency_key=key, if_version=version, resolve_parts=resolve_parts
        )
        return reply_accepted(store.accept(turn_request), long_polls)

    @Operation(
        id="submit_batch",
        method="post",
        path="/v1/turns/batch",
        summary="Submit up to 100 turns, each of which is accepted or refused independently",
        body=BatchBody,
        headers=("Idempotency-Key", "traceparent"),
        responses={200: ResponseSpec("The result of each turn, in order", responses.Batch)},
    ).on(api)
    def submit_batch() -> Response:
        if "If-Match" in request.headers:
            raise InvalidRequest("If-Match", "cannot be sent with a batch, whose turns may be of several sessions")
        key = parse_idempotency_key(request.headers.get("Idempotency-Key"))
        items = parse_batch(read_json_body(max_bytes=MAX_BATCH_BYTES))
        keys = (f"{key}\n{n}" if key else None for n in range(len(items)))
        data = tuple(
            _accept_item(store, find, model, *item, resolve_parts=resolve_parts)
            for item in zip(items, keys, strict=True)
        )
        return reply(responses.Batch(data=data))

    @Operation(
        id="list_turns",
        method="get",
        path="/v1/turns",
        summary="List turns, newest first",
        query=TurnsQuery,
        responses={
            200: ResponseSpec("A page, which may be short or empty and not the last", GatheredPage[responses.Turn, str])
        },
        takes_tokens=True,
    ).on(api)
    def list_turns(query: TurnsQuery) -> Response:
        tenant = g.caller.tenant
        session = session_key(query.session_id, query.user_id, tenant) if query.session_id else None
        page = store.list_turns(
            tenant=tenant,
            session=session,
            user_id=query.user_id,
            status=query.status,
            after=query.after,
            limit=query.limit,
        )
        return reply(GatheredPage[responses.Turn, str].of(page.turns, page.after))

    @READ_TURN.on(api)
    @READ_TASK.on(api)
    def read_turn(turn_id: str, query: WaitQuery) -> Response:
        preferred = None if "wait" in request.args else preferred_wait(request.headers.get("Prefer", ""))
        wait_seconds = query.wait if preferred is None else preferred
        turn = long_polls.wait_for_turn(turn_id, tenant=g.caller.tenant, wait_seconds=wait_seconds)
        return with_etag(_with_preference(reply_turn(turn), preferred))

    @Operation(
        id="cancel",
        method="post",
        path="/v1/turns/{turn_id}/cancel",
        summary="Cancel a live turn; a turn that has ended is returned unchanged",
        body=CancelBody,
        requires_body=False,
        responses={200: ResponseSpec("The turn", responses.Turn, headers=("Retry-After",))},
        refusals=MISSING,
        takes_tokens=True,
    ).on(api)
    def cancel(turn_id: str) -> Response:
        keeps = parse_body(CancelBody, read_optional_json_body(max_bytes=MAX_OTHER_BYTES)).keep
        turn = store.cancel(turn_id, tenant=g.caller.tenant, keeps=keeps)
        if keeps and not turn.status.is_terminal:
            turn = long_polls.wait_for_turn(turn_id, tenant=g.caller.tenant, wait_seconds=STOP_SECONDS)
        get_logger().info(Log.TURN_CANCELLED, turn_id=turn_id, status=turn.status)
        return reply_turn(turn)

    @Operation(
        id="retry",
        method="post",
        path="/v1/turns/{turn_id}/retry",
        summary="Retry a failed turn as a new last turn of its session",
        headers=("Idempotency-Key", "If-Match", "Prefer"),
        responses=ACCEPTED,
        refusals=(*MISSING, AssistantNotFound, FileNotFound, TurnNotFailed, SessionChanged, *RESUBMITTED),
        takes_tokens=True,
    ).on(api)
    def retry(turn_id: str) -> Response:
        key = parse_idempotency_key(request.headers.get("Idempotency-Key"))
        accepted = store.retry_failed(
            turn_id,
            find=find,
            tenant=g.caller.tenant,
            idempotency_key=key,
            request_id=g.request_id,
            key_id=g.caller.key_id,
            if_version=read_if_match(),
        )
        return reply_accepted(accepted, long_polls)

    return api


def reply_accepted(accepted: Accepted, long_polls: LongPolls) -> Response:
    """Return 202, or 200 if the turn has ended within the time for which the caller prefers to wait."""
    turn = register_accepted(accepted, long_polls)
    preferred = preferred_wait(request.headers.get("Prefer", ""))
    if preferred is not None:
        with suppress(TurnNotFound, TurnExpired):  # its session was erased meanwhile, but the turn was accepted
            turn = long_polls.wait_for_turn(turn.id, tenant=turn.tenant, wait_seconds=preferred)
    status = 200 if preferred is not None and turn.status.is_terminal else 202
    response = _with_preference(reply_turn(turn, status), preferred)
    response.headers["Location"] = link(f"/v1/turns/{turn.id}")
    if accepted.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def _with_preference(response: Response, preferred: int | None) -> Response:
    response.headers["Vary"] = "Prefer"
    if preferred is not None:
        response.headers["Preference-Applied"] = f"wait={preferred}"
    return response


def _accept_item(
    store: TurnStore,
    find: Callable[[str], Assistant],
    model: type[SubmitBody],
    item: dict[str, Any],
    key: str | None,
    *,
    resolve_parts: ResolveParts,
) -> responses.AcceptedItem | responses.RefusedItem:
    try:
        accepted = store.accept(
            to_turn_request(item, model, find=find, idempotency_key=key, resolve_parts=resolve_parts)
        )
    except Refused as error:
        problem = to_problem(error)
        return responses.RefusedItem(status=problem.status, problem=problem)
    get_logger().info(Log.TURN_ACCEPTED, turn_id=accepted.turn.id, replayed=accepted.replayed)
    return responses.AcceptedItem(turn=accepted.turn)
