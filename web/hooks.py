"""What happens before and after each request: its id, its caller, the headers of its response."""

import re
import secrets

from flask import Flask, Response, g, request

from turns.backend.partition.missing import collect_missing
from turns.config.logs import bind, bind_more
from turns.domain.errors import Forbidden, Unauthenticated
from web.http.request_span import trace_requests
from web.schemas.links import set_root_path
from web.security.audit import RefusalAudit
from web.security.auth import ANONYMOUS, GUARDED, Authenticator, sent_authorization
from web.security.cross_origin import CrossOriginGuard
from web.services import Services

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")

# Headers of every response; a page sets a wider policy instead.
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def register_hooks(app: Flask, services: Services) -> None:
    """Let each request begin with its id and its caller, and end with the headers of every response."""
    origins, refusals = CrossOriginGuard(services.settings), RefusalAudit()
    app.before_request(_begin_collecting if services.settings.partitions else _begin)
    trace_requests(app)
    app.before_request(lambda: _authorize(services.authenticator, origins, refusals))
    app.after_request(_finish)


def _begin() -> None:
    given_id = request.headers.get("X-Request-Id", "")
    g.request_id = given_id if REQUEST_ID.fullmatch(given_id) else secrets.token_hex(8)
    bind(request_id=g.request_id)
    set_root_path(request.script_root)


def _begin_collecting() -> None:
    """Begin a request whose response names the partitions of the store that its reads leave out."""
    _begin()
    collect_missing()


def _authorize(authenticator: Authenticator, origins: CrossOriginGuard, refusals: RefusalAudit) -> None:
    """Raise `Unauthenticated` or `Forbidden` unless the caller may make the request.

    Pages contain no data and need no key. A browser's preflight request (OPTIONS) cannot carry one.
    """
    if request.path.startswith(GUARDED) and request.method != "OPTIONS" and request.blueprint != "pages":
        try:
            caller = g.caller = authenticator.authenticate(sent_authorization(request))
            if caller is not ANONYMOUS:
                bind_more(key_id=caller.key_id, tenant=caller.tenant)
            caller.check(request.method, request.path)
        except (Unauthenticated, Forbidden) as error:
            refusals.record(error)
            raise
        if caller.key_id is None:
            origins.check(request.method, request.environ)


def _finish(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.request_id
    # `setdefault` would search all headers several times for each name, which takes 5 % of a response's time.
    present = {name for name, _ in response.headers}
    response.headers.extend((name, value) for name, value in HEADERS.items() if name not in present)
    return response
