"""Read URLs: a prefix of the path, a percent-encoded slash inside a segment, and queries that are not UTF-8."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote, unquote_to_bytes, urlsplit
from wsgiref.types import StartResponse, WSGIApplication

from flask import Request
from werkzeug.routing import UnicodeConverter

from turns.domain.errors import InvalidRequest


class EncodedPath:
    """WSGI middleware that keeps `/` and `%` inside the segments of the path percent-encoded.

    WSGI decodes the path, and `/v1/sessions/a%2Fmessages` would become the messages of the session `a`. Only `RAW_URI`,
    which gunicorn adds, distinguishes the two.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        uri = environ["RAW_URI"]
        if "%" in uri and "%" in (path := urlsplit(uri).path if uri[0] != "/" else uri.partition("?")[0]):
            environ["PATH_INFO"] = "/".join(map(_decode, path.split("/")))
        return self._app(environ, start_response)


class RootPath:
    """WSGI middleware that moves a prefix from the request's path to `SCRIPT_NAME`.

    The proxy in front of it may have removed the prefix already.
    """

    def __init__(self, app: WSGIApplication, root_path: str) -> None:
        self._app = app
        self._root_path = root_path

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == self._root_path or path.startswith(f"{self._root_path}/"):
            environ["PATH_INFO"] = path[len(self._root_path) :] or "/"
        environ["SCRIPT_NAME"] = self._root_path
        return self._app(environ, start_response)


class Segment(UnicodeConverter):
    """A parameter of a route: one segment of the path that `EncodedPath` has passed on."""

    def to_python(self, value: str) -> str:
        return unquote(value) if "%" in value else value


def read_query(request: Request) -> Iterable[tuple[str, str]]:
    """Return the parameters of the query. Raises `InvalidRequest` if they are not UTF-8.

    Werkzeug would return such bytes percent-encoded, as if they were the text `%FF`.
    """
    if b"%" in request.query_string:
        try:
            unquote_to_bytes(request.query_string).decode()
        except UnicodeDecodeError:
            raise InvalidRequest("query", "must be valid UTF-8") from None
    return request.args.items(multi=True)


def _decode(segment: str) -> str:
    """Return a segment as WSGI decodes it, except for the two characters that separate and encode."""
    return unquote_to_bytes(segment).decode("latin-1").replace("%", "%25").replace("/", "%2F")
