"""Errors as OpenAI's clients read them: `{"error": {"message", "type", "param", "code"}}`."""

import json
from http import HTTPStatus

from flask import Response

from web.http.responses import JSON
from web.schemas.responses import Problem

TYPES = {HTTPStatus.UNAUTHORIZED: "authentication_error", HTTPStatus.FORBIDDEN: "permission_error"}


def to_error(problem: Problem) -> Response:
    """Return a problem in this form. Clients repeat 409 by themselves, unless a header forbids it."""
    param = problem.errors[0].field if problem.errors else None
    error = {"message": problem.detail, "type": _type(problem.status), "param": param, "code": problem.code}
    response = Response(json.dumps({"error": error}), status=problem.status, content_type=JSON)
    if problem.status == HTTPStatus.CONFLICT:
        response.headers["x-should-retry"] = "false"
    return response


def _type(status: int) -> str:
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "rate_limit_error"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "server_error"
    return TYPES.get(HTTPStatus(status), "invalid_request_error")
