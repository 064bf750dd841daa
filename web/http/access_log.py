"""The access log: one event for each request, without its query, its body and its ids. Optional."""

import time

from flask import Flask, Response, g, request

from turns.config.logs import Log, get_logger
from web.security.audit import path_template


def register(app: Flask) -> None:
    """Log each request of the app when its response begins, which for a stream is before its events."""
    app.before_request_funcs.setdefault(None, []).insert(0, _start)
    app.after_request(_log)


def _start() -> None:
    g.started_at = time.perf_counter()


def _log(response: Response) -> Response:
    # The ids of request, key and tenant are bound to all events of the request.
    ms = round((time.perf_counter() - g.started_at) * 1000, 1)
    get_logger().info(Log.REQUEST_DONE, method=request.method, path=path_template(), status=response.status_code, ms=ms)
    return response
