"""The route of completions."""

import time
from collections.abc import Iterable, Iterator
from string import punctuation
from urllib.parse import quote

from flask import Blueprint, Response, jsonify, request

from turns.config.logs import Log, get_logger
from turns.domain.errors import StoreUnavailable
from turns.domain.turn import Turn
from turns.domain.turn_request import TurnRequest
from web.http.problems import to_problem
from web.http.responses import EVENT_STREAM, read_json_body
from web.http.validation import parse_body
from web.schemas.queries import NoQuery
from web.security.token_bounds import bind
from web.services import Services
from web.streaming.accepted import register_accepted
from web.surfaces.ended_turn import wait_for_end
from web.surfaces.native_events import NativeEvent, follow_turn
from web.surfaces.openai.chat.binding import SESSION, Binding, read_binding
from web.surfaces.openai.chat.completion import CompletionStream, to_completion
from web.surfaces.openai.chat.failures import TurnWithoutAnswer, check_answer
from web.surfaces.openai.chat.messages import Conversation, read_conversation
from web.surfaces.openai.chat.parameters import check_parameters
from web.surfaces.openai.chat.requests import CompletionBody
from web.surfaces.openai.chat.sessions import BoundTurns
from web.surfaces.openai.chat.turn_requests import TurnRequests
from web.surfaces.openai.errors import to_error
from web.surfaces.openai.repeats import digest_of, find_key

MAX_TEXT_BYTES = 4 * 1024 * 1024  # of a request without its files, which are base64
FORKED_FROM = "X-InTurn-Forked-From"
HELD_SECONDS = 70.0  # a proxy as in docs/guides/deployment.md gives up after 75 s of silence


class Completions:
    def __init__(self, services: Services) -> None:
        self._services = services
        self.requests = TurnRequests(services)
        self._bound = BoundTurns(services)

    def accept(self, turn_request: TurnRequest, conversation: Conversation, binding: Binding) -> Turn:
        if binding.session_id:
            accepted = self._bound.accept(turn_request, conversation)
        else:
            accepted = self._services.store.accept(self.requests.stand_alone(turn_request, conversation))
        return register_accepted(accepted, self._services.long_polls)

    def complete(self, turn: Turn) -> Response:
        """Reply with the answer when it is complete. Raises `TurnWithoutAnswer`."""
        ended = wait_for_end(self._services.long_polls, turn, deadline=time.monotonic() + HELD_SECONDS)
        check_answer(ended)
        return jsonify(to_completion(ended))

    def stream(self, turn: Turn, *, includes_usage: bool) -> Response:
        """Reply with the answer while it is written."""
        events = follow_turn(self._services.streams, turn, self._services.authenticator)
        stream = CompletionStream(turn, includes_usage)
        is_kept = "Idempotency-Key" in request.headers
        body = stream.chunks(events) if is_kept else self._stop_if_left(stream, events)
        return Response(body, content_type=EVENT_STREAM, headers={"X-Accel-Buffering": "no"})

    def _stop_if_left(self, stream: CompletionStream, events: Iterable[NativeEvent]) -> Iterator[bytes]:
        """Yield the chunks. If the reader leaves, stop the turn; its session keeps the partial answer.

        A turn that stands alone ends also if its stream fails, because no reader can return to it.
        """
        try:
            yield from stream.chunks(events)
        except GeneratorExit:
            self._stop(stream.turn)
            raise
        if stream.turn.stands_alone and not stream.has_ended:
            self._stop(stream.turn)

    def _stop(self, turn: Turn) -> None:
        try:
            cancelled = self._services.store.cancel(turn.id, tenant=turn.tenant, keeps=not turn.stands_alone)
            get_logger().info(Log.TURN_CANCELLED, turn_id=turn.id, status=cancelled.status)
        except StoreUnavailable as error:  # then the turn runs to its end
            get_logger().warning(Log.STORE_UNAVAILABLE, error=str(error))


def build_completions(services: Services) -> Blueprint:
    service = Completions(services)
    max_bytes = MAX_TEXT_BYTES + services.settings.model_file_bytes * 4 // 3
    api = Blueprint("chat", __name__, url_prefix="/chat/completions")
    api.register_error_handler(TurnWithoutAnswer, _reply_without_answer)

    @api.post("")
    def create() -> Response:
        bind({}, NoQuery(), takes_tokens=True)
        given = read_json_body(max_bytes=max_bytes)
        body = parse_body(CompletionBody, given)
        check_parameters(body.model_extra or {})
        conversation, digest = read_conversation(body.messages), digest_of(given)
        binding = read_binding(request.headers.get, is_streamed=bool(body.stream))
        key = find_key(services, digest, held_seconds=HELD_SECONDS)
        question = service.requests.build(body, conversation, binding, key=key, digest=digest)
        turn = service.accept(question, conversation, binding)
        response = service.stream(turn, includes_usage=body.includes_usage) if body.stream else service.complete(turn)
        return _with_names(response, turn, named=question.session_id)

    return api


def _reply_without_answer(error: TurnWithoutAnswer) -> Response:
    """Reply with the reason. The client repeats the request by itself only if the turn goes on."""
    response = _with_names(to_error(to_problem(error)), error.turn)
    if error.turn.status.is_terminal:
        response.headers["x-should-retry"] = "false"
    return response


def _with_names(response: Response, turn: Turn, *, named: str = "") -> Response:
    """Return the response with the ids of the turn and its session, and of the `named` one if that was left."""
    response.headers["X-InTurn-Turn"] = turn.id
    if not turn.stands_alone:
        response.headers[SESSION] = quote(turn.session_id, safe=punctuation)
        if named not in {"", turn.session_id}:
            response.headers[FORKED_FROM] = quote(named, safe=punctuation)
    return response
