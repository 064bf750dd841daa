"""The routes of LangServe for each assistant: `/langserve/{assistant}/…`, and for one at the root of the service."""

import time
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from turns.domain.assistant import Assistant
from turns.domain.errors import Refused, StoreUnavailable
from turns.domain.turn import Turn
from turns.domain.turn_request import TurnRequest
from turns.store.turns import TurnStore
from web.http.responses import EVENT_STREAM, read_json_body
from web.http.turn_requests import to_turn_request
from web.http.validation import parse_body, parse_idempotency_key
from web.schemas.queries import NoQuery
from web.schemas.requests import submit_body
from web.security.auth import Authenticator
from web.security.token_bounds import bind
from web.streaming.accepted import register_accepted
from web.streaming.long_poll import LongPolls
from web.streaming.sse import EventStreams
from web.surfaces.ended_turn import wait_for_end
from web.surfaces.langserve.output import problem_of, to_event_stream, to_output
from web.surfaces.langserve.requests import BatchBody, InvokeBody, to_submit
from web.surfaces.langserve.schemas import config_schema, input_schema, output_schema
from web.surfaces.native_events import follow_turn

MAX_BODY_BYTES = 8 * 1024 * 1024
INVOKE_SECONDS = 70.0  # a proxy as in docs/guides/deployment.md gives up after 75 s of silence
AWAY = "The service cannot reach its store. Try again."
STILL_RUNNING = "The turn has not ended yet. It goes on, and GET /v1/turns/{turn_id} has its answer."


class LangServe:
    """What the routes of all assistants share."""

    def __init__(
        self,
        store: TurnStore,
        *,
        streams: EventStreams,
        long_polls: LongPolls,
        authenticator: Authenticator,
        max_input_bytes: int,
    ) -> None:
        self._store = store
        self._streams = streams
        self._long_polls = long_polls
        self._authenticator = authenticator
        self._model = submit_body(max_input_bytes)

    def to_turn_request(self, body: InvokeBody, assistant: Assistant, *, key: str | None) -> TurnRequest:
        bind({}, NoQuery(), takes_tokens=True)
        return to_turn_request(
            to_submit(body, assistant, request.cookies),
            self._model,
            find=lambda _: assistant,
            idempotency_key=key,
        )

    def accept(self, turn_request: TurnRequest) -> Turn:
        return register_accepted(self._store.accept(turn_request), self._long_polls)

    def wait(self, turn: Turn, *, deadline: float) -> Turn:
        return wait_for_end(self._long_polls, turn, deadline=deadline)

    def stream(self, turn: Turn) -> Response:
        body = to_event_stream(follow_turn(self._streams, turn, self._authenticator), turn.id)
        return Response(body, content_type=EVENT_STREAM, headers={"X-Accel-Buffering": "no"})


def build_langserve(
    service: LangServe, find: Callable[[str], Assistant], *, name: str, prefix: str, root: str | None = None
) -> Blueprint:
    """Return the routes below `prefix`, which contains `<assistant>` unless `root` names the assistant."""
    api = Blueprint(name, __name__, url_prefix=prefix, url_defaults={"assistant": root} if root else None)
    api.register_error_handler(Refused, lambda error: _reply_error(str(error), error.status))
    api.register_error_handler(StoreUnavailable, lambda error: _reply_error(AWAY, error.status))
    api.register_error_handler(HTTPException, lambda error: _reply_error(str(error.description), error.code or 500))

    @api.post("/invoke")
    def invoke(assistant: str) -> Response:
        body = parse_body(InvokeBody, read_json_body(max_bytes=MAX_BODY_BYTES))
        key = parse_idempotency_key(request.headers.get("Idempotency-Key"))
        turn = service.accept(service.to_turn_request(body, find(assistant), key=key))
        turn = service.wait(turn, deadline=time.monotonic() + INVOKE_SECONDS)
        return _reply_error_of(turn) or _reply({"output": to_output(turn), "metadata": _metadata(turn)})

    @api.post("/batch")
    def batch(assistant: str) -> Response:
        body = parse_body(BatchBody, read_json_body(max_bytes=MAX_BODY_BYTES))
        key = parse_idempotency_key(request.headers.get("Idempotency-Key"))
        requests = [
            service.to_turn_request(item, find(assistant), key=key and f"{key}\n{number}")
            for number, item in enumerate(body.split())
        ]
        turns, deadline = [service.accept(each) for each in requests], time.monotonic() + INVOKE_SECONDS
        turns = [service.wait(turn, deadline=deadline) for turn in turns]
        for turn in turns:
            if problem := _reply_error_of(turn):
                return problem
        metadata = {"responses": [_metadata(turn) for turn in turns]}
        return _reply({"output": [to_output(turn) for turn in turns], "metadata": metadata})

    @api.post("/stream")
    def stream(assistant: str) -> Response:
        body = parse_body(InvokeBody, read_json_body(max_bytes=MAX_BODY_BYTES))
        key = parse_idempotency_key(request.headers.get("Idempotency-Key"))
        return service.stream(service.accept(service.to_turn_request(body, find(assistant), key=key)))

    @api.get("/input_schema")
    def read_input_schema(assistant: str) -> Response:
        return _reply(input_schema(find(assistant)))

    @api.get("/output_schema")
    def read_output_schema(assistant: str) -> Response:
        return _reply(output_schema(find(assistant)))

    @api.get("/config_schema")
    def read_config_schema(assistant: str) -> Response:
        return _reply(config_schema(find(assistant)))

    return api


def _metadata(turn: Turn) -> dict[str, Any]:
    return {"run_id": turn.id, "feedback_tokens": []}


def _reply(body: dict[str, Any]) -> Response:
    return jsonify(body)


def _reply_error_of(turn: Turn) -> Response | None:
    """Reply that a turn has no complete answer; None if it has one."""
    if not turn.status.is_terminal:
        return _reply_error(STILL_RUNNING.format(turn_id=turn.id), 504, turn_id=turn.id)
    problem = problem_of(turn.status, turn.failure)
    return _reply_error(problem, 500, turn_id=turn.id) if problem else None


def _reply_error(detail: str, status: int, **more: str) -> Response:
    response = jsonify({"detail": detail, **more})
    response.status_code = status
    return response
