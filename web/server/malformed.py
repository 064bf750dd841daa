"""Problems for requests that are not well-formed HTTP, and so do not reach Flask."""

import secrets
from http import HTTPStatus
from types import MappingProxyType

from gunicorn.http import errors

from web.http.codes import HTTP_CODES, MEDIA_TYPE
from web.schemas.responses import Problem

STATUSES = MappingProxyType(
    {
        errors.LimitRequestLine: 414,
        errors.ExpectationFailed: 417,
        errors.LimitRequestHeaders: 431,
        errors.UnsupportedTransferCoding: 501,
    }
)


def malformed(error: BaseException) -> bytes:
    """Return the whole HTTP response, after which the connection is closed."""
    status = STATUSES.get(type(error), 400) if isinstance(error, errors.ParseException) else 500
    code = HTTP_CODES[status]
    phrase = HTTPStatus(status).phrase
    request_id = secrets.token_hex(8)
    body = Problem(
        type=f"urn:inturn:problem:{code}",
        title=phrase,
        status=status,
        detail="The request is not well-formed HTTP." if status < 500 else phrase,
        instance="",
        code=code,
        request_id=request_id,
    ).model_dump_json()
    head = (
        f"HTTP/1.1 {status} {phrase}\r\nConnection: close\r\nContent-Type: {MEDIA_TYPE}\r\n"
        f"X-Request-Id: {request_id}\r\nX-Content-Type-Options: nosniff\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode()
