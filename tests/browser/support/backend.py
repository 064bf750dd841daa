"""The own server of a page that talks to the service itself."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.support.processes import Stack, call

KINDS = {".html": "text/html", ".js": "text/javascript"}


class Backend(ThreadingHTTPServer):
    """The page's own server: it knows that Ada is signed in, and holds the API key."""

    daemon_threads = True

    def __init__(self, files: Callable[[str], Path]) -> None:
        """`files` returns the file for a path."""
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = files
        self.service, self.api_key = "", ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def create_token(self) -> bytes:
        body = {"user_id": "ada", "expires_in": 600}
        created = call(f"{self.service}/v1/tokens", method="POST", body=body, api_key=self.api_key)
        return str(created.body["token"]).encode()


class Handler(BaseHTTPRequestHandler):
    server: Backend

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/token":
            self._send(self.server.create_token(), "text/plain")
        else:
            file = self.server.files(path)
            self._send(file.read_bytes() if file.is_file() else b"", KINDS.get(file.suffix, "text/plain"))

    def _send(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serve_page(files: Callable[[str], Path]) -> Iterator[Backend]:
    """Run the server; `files` returns the file for a path."""
    backend = Backend(files)
    threading.Thread(target=backend.serve_forever, daemon=True).start()
    yield backend
    backend.shutdown()
    backend.server_close()


def start_service(backend: Backend, start: Callable[..., Stack], **settings: str) -> Stack:
    """Start a service that the page of this server may call with the tokens that it creates."""
    stack = start(INTURN_CORS_ORIGINS=backend.url, **settings)
    backend.service, backend.api_key = stack.url, stack.create_api_key("acme")
    return stack
