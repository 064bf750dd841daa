"""The routes of `client.responses`."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from flask import Blueprint, Response, g, jsonify, request

from turns.config.logs import Log, get_logger
from turns.domain.errors import InvalidRequest, TurnExpired, TurnNotFound
from turns.domain.turn import Turn
from web.http.responses import EVENT_STREAM, read_json_body
from web.http.strict_json import load_json
from web.http.validation import validate
from web.schemas.queries import NoQuery
from web.security.token_bounds import bind
from web.services import Services
from web.surfaces.native_events import follow_turn
from web.surfaces.openai.content import to_listing
from web.surfaces.openai.ids import to_turn_id
from web.surfaces.openai.names import read_user
from web.surfaces.openai.repeats import digest_of, find_key
from web.surfaces.openai.responses.events import to_event_stream
from web.surfaces.openai.responses.parameters import check_parameters
from web.surfaces.openai.responses.requests import ResponseBody
from web.surfaces.openai.responses.submission import HELD_SECONDS, Submission
from web.surfaces.openai.responses.views import to_input_item, to_response

MAX_BODY_BYTES = 8 * 1024 * 1024  # without files, which are base64


def build_responses(services: Services) -> Blueprint:
    api = Blueprint("responses", __name__, url_prefix="/responses")
    submission = Submission(services)
    max_bytes = MAX_BODY_BYTES + services.settings.model_file_bytes * 4 // 3

    def stream(turn: Turn, *, after: int = -1) -> Response:
        events = follow_turn(services.streams, turn, services.authenticator)
        body = to_event_stream(events, turn, _reader(services, turn), after=after)
        return Response(body, content_type=EVENT_STREAM, headers={"X-Accel-Buffering": "no"})

    @api.post("")
    def create() -> Response:
        sent = read_json_body(max_bytes=max_bytes)
        given = _to_object(sent)
        check_parameters(given)
        body = validate(ResponseBody, given)
        bind({}, NoQuery(), takes_tokens=True)
        digest = digest_of(sent)
        key = find_key(services, digest, held_seconds=HELD_SECONDS)
        turn = submission.submit(body, user_id=read_user(request), key=key, digest=digest)
        if body.stream:
            return stream(turn)
        return jsonify(to_response(turn if body.background else submission.hold(turn)))

    @api.get("/<response_id>")
    def retrieve(response_id: str) -> Response:
        turn = _find(services, response_id)
        if request.args.get("stream") == "true":
            return stream(turn, after=_starting_after())
        return jsonify(to_response(turn))

    @api.post("/<response_id>/cancel")
    def cancel(response_id: str) -> Response:
        turn = services.store.cancel(_turn_id(response_id), tenant=g.caller.tenant)
        get_logger().info(Log.TURN_CANCELLED, turn_id=turn.id, status=turn.status)
        return jsonify(to_response(turn))

    @api.delete("/<response_id>")
    def delete(response_id: str) -> Response:
        turn_id = _turn_id(response_id)
        services.deletion.delete(turn_id, tenant=g.caller.tenant)
        get_logger().info(Log.TURN_DELETED, turn_id=turn_id)
        return jsonify({"id": response_id, "object": "response.deleted", "deleted": True})

    @api.get("/<response_id>/input_items")
    def list_input_items(response_id: str) -> Response:
        data = [to_input_item(_find(services, response_id))]
        return jsonify(to_listing([] if request.args.get("after") else data, has_more=False))

    return api


def read_object(*, max_bytes: int) -> dict[str, Any]:
    """Return the JSON object in the body. Raises `InvalidRequest`, or like `read_json_body`."""
    return _to_object(read_json_body(max_bytes=max_bytes))


def _to_object(body: bytes) -> dict[str, Any]:
    given = load_json(body)
    if not isinstance(given, dict):
        raise InvalidRequest("body", "must be a JSON object")
    return given


def _turn_id(response_id: str) -> str:
    turn_id = to_turn_id(response_id)
    bind({"turn_id": turn_id}, NoQuery(), takes_tokens=True)
    return turn_id


def _find(services: Services, response_id: str) -> Turn:
    return services.store.get_turn(_turn_id(response_id), tenant=g.caller.tenant)


def _reader(services: Services, turn: Turn) -> Callable[[], Turn | None]:
    def read() -> Turn | None:
        with suppress(TurnNotFound, TurnExpired):
            return services.store.get_turn(turn.id, tenant=turn.tenant)
        return None

    return read


def _starting_after() -> int:
    given = request.args.get("starting_after", "-1")
    if not given.removeprefix("-").isdecimal() or len(given) > 15:
        raise InvalidRequest("starting_after", "must be the sequence_number of an event")
    return int(given)
