"""Steps that routes share: content negotiation, request bodies and responses."""

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
CSV = "text/csv"
NDJSON = "application/x-ndjson"
BODY_SECONDS = 20.0  # to receive a whole body, so that slow senders do not occupy connections


def check_accept(*kinds: str) -> None:
    """Raise `NotAcceptable` if the caller accepts none of these media types; without any, JSON is meant."""
    kinds = kinds or (JSON,)
    if request.accept_mimetypes and not request.accept_mimetypes.best_match(kinds):
        raise NotAcceptable(f"This path answers with {' or '.join(kinds)}.")


def read_json_body(*, max_bytes: int) -> bytes:
    """Return the request body like `read_body`. Raises `UnsupportedMediaType` too."""
    if request.mimetype != JSON:
        raise UnsupportedMediaType(f"The body must be {JSON}.")
    return read_body(max_bytes=max_bytes)


def read_body(*, max_bytes: int, seconds: float = BODY_SECONDS, cache: bool = False) -> bytes:
    """Return the request body. With `cache`, it can be parsed as a form afterwards.

    Raises `RequestEntityTooLarge` (as soon as the limit is exceeded), `RequestTimeout`, `BadRequest`.
    """
    declared_bytes = request.content_length or 0
    if declared_bytes > max_bytes:
        raise RequestEntityTooLarge(f"The body must be at most {max_bytes} bytes.")
    request.max_content_length = max_bytes + 1  # werkzeug silently truncates a body of unknown length there
    try:
        with Timeout(seconds):
            body = request.get_data(cache=cache)
    except TimeoutError:
        raise RequestTimeout(f"The body was not received within {seconds:g} seconds.") from None
    if len(body) < declared_bytes:
        raise BadRequest("The body is shorter than its Content-Length.")
    if len(body) > max_bytes:
        raise RequestEntityTooLarge(f"The body must be at most {max_bytes} bytes.")
    return body


def read_optional_json_body(*, max_bytes: int) -> bytes:
    """Return the request body like `read_json_body`, or an empty object if the request has none."""
    is_empty = not request.mimetype and not request.content_length and not request.headers.get("Transfer-Encoding")
    return b"{}" if is_empty else read_json_body(max_bytes=max_bytes)


def reply(body: BaseModel, status: int = 200) -> Response:
    return Response(body.model_dump_json(), status=status, content_type=JSON)


def reply_empty() -> Response:
    response = Response(status=204)
    del response.headers["Content-Type"]  # a response without content has no type
    return response


def reply_turn(turn: Turn, status: int = 200) -> Response:
    """Reply with a turn, and with `Retry-After` while it is live."""
    response = reply(responses.Turn.model_validate(turn), status)
    if not turn.status.is_terminal:
        response.headers["Retry-After"] = str(retry_after_seconds(turn, now_ms=now_ms()))
    return response


def with_etag(response: Response) -> Response:
    """Set the ETag, and return 304 if it is in `If-None-Match`; no other conditional header has an effect."""
    etag = hashlib.sha256(response.get_data()).hexdigest()[:32]
    response.set_etag(etag)
    if request.if_none_match.contains_weak(etag):
        response.status_code = 304
    return response
