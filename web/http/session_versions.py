"""The version of a session as an entity tag: in `ETag` of responses, and in `If-Match` of requests."""

import re

from flask import Response, request

from turns.domain.errors import InvalidRequest
from turns.domain.session import Session
from web.http.responses import reply
from web.schemas import responses

ETAG = re.compile(r'"([0-9]{1,15})"')


def read_if_match() -> int | None:
    """Return the version in `If-Match`, or None without the header. Raises `InvalidRequest`."""
    header = request.headers.get("If-Match")
    if header is None:
        return None
    found = ETAG.fullmatch(header.strip())
    if not found:
        raise InvalidRequest("If-Match", 'must be the version of the session as its ETag has it, such as "7"')
    return int(found[1])


def reply_session(session: Session, status: int = 200) -> Response:
    response = reply(responses.Session.model_validate(session), status)
    response.set_etag(str(session.version))
    return response
