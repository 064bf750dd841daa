"""Serve the app under a path prefix, whether or not the proxy in front of it removes the prefix from requests."""

from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication


class RootPath:
    """WSGI middleware that moves the prefix from the request's path to `SCRIPT_NAME`."""

    def __init__(self, app: WSGIApplication, root_path: str) -> None:
        self._app = app
        self._root_path = root_path

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == self._root_path or path.startswith(f"{self._root_path}/"):
            environ["PATH_INFO"] = path[len(self._root_path) :] or "/"
        environ["SCRIPT_NAME"] = self._root_path
        return self._app(environ, start_response)
