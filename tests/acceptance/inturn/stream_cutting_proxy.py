"""A proxy that ends each stream after its first event, as one with a time limit does to a turn that waits for long."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@contextmanager
def short_streams(service: str) -> Iterator[str]:
    """The URL of the proxy. Everything but streams gets through as it is."""
    proxy = Proxy(service)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{proxy.server_port}"
    proxy.shutdown()
    proxy.server_close()


class Proxy(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, service: str) -> None:
        super().__init__(("127.0.0.1", 0), Passing)
        self.place = urlsplit(service).netloc


class Passing(BaseHTTPRequestHandler):
    server: Proxy

    def log_message(self, *_: object) -> None:
        """What passes is no concern of the tests."""

    def do_GET(self) -> None:
        self._pass(b"")

    def do_POST(self) -> None:
        self._pass(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _pass(self, body: bytes) -> None:
        """The answer ends where the connection does."""
        service = http.client.HTTPConnection(self.server.place)
        service.request(self.command, self.path, body, dict(self.headers))
        answer = service.getresponse()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers["Content-Type"])
        self.end_headers()
        is_stream = answer.headers["Content-Type"].startswith("text/event-stream")
        for line in answer:
            self.wfile.write(line)
            if is_stream and line.startswith(b"data:"):
                self.wfile.write(b"\n")
                break
        service.close()
