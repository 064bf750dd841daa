"""Every error as RFC 9457 `application/problem+json`; the one table from our errors to HTTP."""

from http import HTTPStatus
from types import MappingProxyType

from flask import Flask, Response, g, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import BadRequest, HTTPException

from turns.config.logs import Log, get_logger
from turns.domain.errors import (
    AssistantNotFound,
    CountChanged,
    Forbidden,
    IdempotencyKeyReused,
    IntakePaused,
    InvalidRequest,
    Overloaded,
    RateLimited,
    Refused,
    SessionBacklogFull,
    SessionBusy,
    SessionNotEmpty,
    SessionNotFound,
    StoreUnavailable,
    StreamsFull,
    TenantBacklogFull,
    TokensSpent,
    TurnExpired,
    TurnNotFailed,
    TurnNotFound,
    TurnsError,
    Unauthenticated,
    WorkerNotFound,
)
from web.http.codes import HTTP_CODES, MEDIA_TYPE
from web.schemas import responses

STORE_RETRY_AFTER_SECONDS = 2

PROBLEMS: MappingProxyType[type[TurnsError], tuple[int, str]] = MappingProxyType(
    {
        InvalidRequest: (400, "invalid_request"),
        Unauthenticated: (401, "unauthenticated"),
        Forbidden: (403, "forbidden"),
        TurnNotFound: (404, "turn_not_found"),
        SessionNotFound: (404, "session_not_found"),
        AssistantNotFound: (404, "assistant_not_found"),
        WorkerNotFound: (404, "worker_not_found"),
        SessionBusy: (409, "session_busy"),
        SessionNotEmpty: (409, "session_not_empty"),
        CountChanged: (409, "count_changed"),
        TurnNotFailed: (409, "turn_not_failed"),
        TurnExpired: (410, "turn_expired"),
        IdempotencyKeyReused: (422, "idempotency_key_reused"),
        SessionBacklogFull: (429, "session_backlog_full"),
        TenantBacklogFull: (429, "tenant_backlog_full"),
        RateLimited: (429, "rate_limited"),
        TokensSpent: (429, "tokens_spent"),
        Overloaded: (503, "overloaded"),
        IntakePaused: (503, "intake_paused"),
        StreamsFull: (503, "streams_full"),
        StoreUnavailable: (503, "store_unavailable"),
    }
)

NOT_FOUND = "There is nothing at this path; turns are at /v1/turns, and /docs describes them."


def register(app: Flask) -> None:
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(StoreUnavailable, _store_unavailable)
    app.register_error_handler(ParseException, lambda _: _http(BadRequest("The body is not well-formed HTTP.")))
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _broken)


def to_problem(error: Refused) -> responses.Problem:
    status, code = PROBLEMS[type(error)]
    return problem(status, code, str(error))


def problem(status: int, code: str, detail: str) -> responses.Problem:
    return responses.Problem(
        type=f"urn:inturn:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=request.path,
        code=code,
        request_id=g.request_id,
    )


def _reply(body: responses.Problem, *, retry_after_seconds: int | None = None) -> Response:
    response = Response(body.model_dump_json(), status=body.status, content_type=MEDIA_TYPE)
    if retry_after_seconds is not None:
        response.headers["Retry-After"] = str(retry_after_seconds)
    return response


def _refused(error: Refused) -> Response:
    response = _reply(to_problem(error), retry_after_seconds=error.retry_after_seconds)
    if isinstance(error, Unauthenticated):
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _store_unavailable(error: StoreUnavailable) -> Response:
    get_logger().warning(Log.STORE_UNAVAILABLE, error=str(error))
    status, code = PROBLEMS[StoreUnavailable]
    if request.method != "POST":
        detail = "The store does not answer. Try again."
    elif error.refused:
        detail = "The store cannot take this now; nothing was stored. Try again."
    else:
        detail = (
            "The store did not answer, so it is not known whether this was stored. "
            "Repeating it is safe with the same Idempotency-Key."
        )
    return _reply(problem(status, code, detail), retry_after_seconds=STORE_RETRY_AFTER_SECONDS)


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    detail = NOT_FOUND if status == 404 else error.description or HTTPStatus(status).description
    response = _reply(problem(status, HTTP_CODES.get(status, "http_error"), detail))
    for name, value in error.get_headers():
        if name.lower() != "content-type":  # keeps `Allow` of a 405
            response.headers[name] = value
    return response


def _broken(error: Exception) -> Response:
    get_logger().exception(Log.REQUEST_BROKEN, error=type(error).__name__)
    return _reply(problem(500, HTTP_CODES[500], "Something went wrong here; the log knows it by the request_id."))
