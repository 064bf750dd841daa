"""The span of a request that changes something: a child of the caller's, and the parent of the worker's run."""

from flask import Flask, Response, g, request

from turns.config.tracing import is_tracing, mark_failed, set_attributes, span

# Reads have no span: a client polls a turn many times, and a stream lasts for minutes.
TRACED_METHODS = ("POST", "PUT", "PATCH", "DELETE")


def trace_requests(app: Flask) -> None:
    """Open a span for each such request below /v1. Without tracing, do nothing."""
    if is_tracing():
        app.before_request(_open)
        app.after_request(_describe_response)
        app.teardown_request(_close)


def get_traceparent() -> str | None:
    """Return the `traceparent` of the request's span, or of the caller's if there is no span."""
    given: str | None = g.get("traceparent") or request.headers.get("traceparent")
    return given


def _open() -> None:
    if request.method not in TRACED_METHODS or not request.path.startswith("/v1/") or request.url_rule is None:
        return
    route = request.url_rule.rule
    attributes = {
        "http.request.method": request.method,
        "http.route": route,
        "url.path": request.path,
        "url.scheme": request.scheme,
        "user_agent.original": request.user_agent.string,
        "inturn.request_id": g.request_id,
    }
    g.span = span(f"{request.method} {route}", attributes, parent=request.headers.get("traceparent"), kind="SERVER")
    g.traceparent = g.span.__enter__()


def _describe_response(response: Response) -> Response:
    if "span" in g:
        set_attributes({"http.response.status_code": response.status_code})
        if response.status_code >= 500:  # the conventions leave the status of a refused request unset
            mark_failed(str(response.status_code))
    return response


def _close(_: BaseException | None) -> None:
    if "span" in g:
        g.pop("span").__exit__(None, None, None)
