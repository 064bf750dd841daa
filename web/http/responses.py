"""Steps that all routes share: what a caller takes, what it may send, how it is answered."""

import hashlib

from flask import Response, request
from pydantic import BaseModel
from werkzeug.exceptions import BadRequest, NotAcceptable, RequestEntityTooLarge, RequestTimeout, UnsupportedMediaType

from turns.domain.turn import Turn
from web.http.retry_after import retry_after_seconds
from web.http.timeouts import Timeout, now_ms
from web.schemas import responses

JSON = "application/json"
EVENT_STREAM = "text/event-stream"
BODY_SECONDS = 20.0  # a caller that sends more slowly than this holds a place for nothing


def check_accept(kind: str = JSON) -> None:
    """Raises `NotAcceptable` for a caller who does not take this kind of answer."""
    if request.accept_mimetypes and not request.accept_mimetypes.best_match([kind]):
        raise NotAcceptable(f"This path answers with {kind}.")


def read_json_body(*, max_bytes: int) -> bytes:
    """Raises `UnsupportedMediaType`, `RequestEntityTooLarge` while it is read, `RequestTimeout`, `BadRequest`."""
    if request.mimetype != JSON:
        raise UnsupportedMediaType(f"The body must be {JSON}.")
    declared_bytes = request.content_length or 0
    if declared_bytes > max_bytes:
        raise RequestEntityTooLarge(f"The body must be at most {max_bytes} bytes.")
    request.max_content_length = max_bytes + 1  # a body of unknown length is cut off there without a word
    try:
        with Timeout(BODY_SECONDS):
            body = request.get_data(cache=False)
    except TimeoutError:
        raise RequestTimeout(f"The body did not come within {BODY_SECONDS:g} seconds.") from None
    if len(body) < declared_bytes:
        raise BadRequest("The body is shorter than its Content-Length.")
    if len(body) > max_bytes:
        raise RequestEntityTooLarge(f"The body must be at most {max_bytes} bytes.")
    return body


def reply(body: BaseModel, status: int = 200) -> Response:
    return Response(body.model_dump_json(), status=status, content_type=JSON)


def reply_empty() -> Response:
    response = Response(status=204)
    del response.headers["Content-Type"]  # there is no content
    return response


def reply_turn(turn: Turn, status: int = 200) -> Response:
    """While the turn is live, with the time after which asking again makes sense."""
    response = reply(responses.Turn.model_validate(turn), status)
    if not turn.status.is_terminal:
        response.headers["Retry-After"] = str(retry_after_seconds(turn, now_ms=now_ms()))
    return response


def with_etag(response: Response) -> Response:
    """304 for a caller who has this very answer. Nothing else that makes a request conditional is looked at."""
    etag = hashlib.sha256(response.get_data()).hexdigest()[:32]
    response.set_etag(etag)
    if request.if_none_match.contains_weak(etag):
        response.status_code = 304
    return response
