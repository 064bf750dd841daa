"""Errors as RFC 9457 `application/problem+json`.

Each error of the domain has its HTTP status and code in `turns.domain.errors`; those of HTTP itself are in `codes`.
"""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus

from flask import Flask, Response, current_app, g, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import BadRequest, HTTPException

from turns.config.logs import Log, get_logger
from turns.domain.errors import FieldError, InvalidRequest, Refused, StoreUnavailable, Unauthenticated
from web.http.codes import HTTP_CODES, MEDIA_TYPE
from web.schemas import responses
from web.schemas.links import link

FORMS = "error_forms"  # the key in `Flask.extensions` for the forms of other protocols, by the beginning of their paths

Form = Callable[[responses.Problem], Response]
NOT_FOUND = "There is nothing at this path. Turns are at /v1/turns; /docs describes the API."


def register(app: Flask) -> None:
    """Answer every error of the app with a problem."""
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(StoreUnavailable, _store_unavailable)
    app.register_error_handler(ParseException, lambda _: _http(BadRequest("The body is not well-formed HTTP.")))
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _broken)


def to_problem(error: Refused) -> responses.Problem:
    errors = error.errors if isinstance(error, InvalidRequest) else ()
    return problem(error.status, error.code, str(error), errors=errors)


def problem(status: int, code: str, detail: str, *, errors: Sequence[FieldError] = ()) -> responses.Problem:
    return responses.Problem(
        type=f"urn:inturn:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=link(request.path),
        code=code,
        request_id=g.request_id,
        errors=tuple(map(responses.FieldError.model_validate, errors)),
    )


def _reply(body: responses.Problem, *, retry_after_seconds: int | None = None) -> Response:
    response = _form()(body)
    if retry_after_seconds is not None:
        response.headers["Retry-After"] = str(retry_after_seconds)
    return response


def _form() -> Form:
    """Return the form of errors at the path of the present request."""
    forms: Mapping[str, Form] = current_app.extensions.get(FORMS, {})
    return next((form for start, form in forms.items() if request.path.startswith(start)), _to_response)


def _to_response(body: responses.Problem) -> Response:
    return Response(body.model_dump_json(), status=body.status, content_type=MEDIA_TYPE)


def _refused(error: Refused) -> Response:
    response = _reply(to_problem(error), retry_after_seconds=error.retry_after_seconds)
    if isinstance(error, Unauthenticated):
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _store_unavailable(error: StoreUnavailable) -> Response:
    get_logger().warning(Log.STORE_UNAVAILABLE, error=str(error))
    if request.method != "POST":
        detail = "The store does not answer. Try again."
    elif error.refused:
        detail = "The store refuses writes at the moment; nothing was stored. Try again."
    else:
        detail = (
            "The store did not answer, so the request may or may not have been stored. "
            "Repeating it with the same Idempotency-Key is safe."
        )
    return _reply(problem(error.status, error.code, detail), retry_after_seconds=error.retry_after_seconds)


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
    return _reply(
        problem(500, HTTP_CODES[500], f"Internal error. The log has the details under request {g.request_id}.")
    )
