"""Every error as RFC 9457 `application/problem+json`; the one table from our errors to HTTP."""

import json
from http import HTTPStatus
from types import MappingProxyType

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from turns.errors import (
    AssistantNotFound,
    IdempotencyKeyReused,
    InvalidRequest,
    Overloaded,
    Refused,
    SessionBacklogFull,
    SessionBusy,
    SessionNotFound,
    StoreUnavailable,
    TurnExpired,
    TurnNotFound,
    TurnsError,
)
from turns.logs import Log, get_logger

MEDIA_TYPE = "application/problem+json"
STORE_RETRY_AFTER_SECONDS = 2

PROBLEMS: MappingProxyType[type[TurnsError], tuple[int, str]] = MappingProxyType(
    {
        InvalidRequest: (400, "invalid_request"),
        TurnNotFound: (404, "turn_not_found"),
        SessionNotFound: (404, "session_not_found"),
        AssistantNotFound: (404, "assistant_not_found"),
        SessionBusy: (409, "session_busy"),
        TurnExpired: (410, "turn_expired"),
        IdempotencyKeyReused: (422, "idempotency_key_reused"),
        SessionBacklogFull: (429, "session_backlog_full"),
        Overloaded: (503, "overloaded"),
        StoreUnavailable: (503, "store_unavailable"),
    }
)

HTTP_CODES = MappingProxyType(
    {
        404: "not_found",
        405: "method_not_allowed",
        406: "not_acceptable",
        413: "content_too_large",
        415: "unsupported_media_type",
        500: "internal_error",
    }
)


def register(app: Flask) -> None:
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(StoreUnavailable, _store_unavailable)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _broken)


def problem(status: int, code: str, detail: str) -> Response:
    body = {
        "type": f"urn:inturn:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request.path,
        "code": code,
        "request_id": g.request_id,
    }
    return Response(json.dumps(body), status=status, content_type=MEDIA_TYPE)


def _refused(error: Refused) -> Response:
    status, code = PROBLEMS[type(error)]
    response = problem(status, code, str(error))
    if error.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response


def _store_unavailable(error: StoreUnavailable) -> Response:
    get_logger().warning(Log.STORE_UNAVAILABLE, error=str(error))
    status, code = PROBLEMS[StoreUnavailable]
    response = problem(status, code, "The store cannot be reached; nothing was stored. Try again.")
    response.headers["Retry-After"] = str(STORE_RETRY_AFTER_SECONDS)
    return response


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    response = problem(status, HTTP_CODES.get(status, "http_error"), error.description or "")
    for name, value in error.get_headers():
        if name.lower() != "content-type":  # keeps `Allow` of a 405
            response.headers[name] = value
    return response


def _broken(error: Exception) -> Response:
    get_logger().exception(Log.REQUEST_BROKEN, error=type(error).__name__)
    return problem(500, HTTP_CODES[500], "Something went wrong here; the log knows it by the request_id.")
