"""A proxy that ends each stream after its first event, as a proxy with a time limit does when a turn waits longer."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@contextmanager
def stream_cutting_proxy(service: str) -> Iterator[str]:
    """Run the proxy and yield its URL. All responses except streams are forwarded unchanged."""
    proxy = Proxy(service)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{proxy.server_port}"
    proxy.shutdown()
    proxy.server_close()


class Proxy(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, service: str) -> None:
        super().__init__(("127.0.0.1", 0), ForwardingHandler)
        self.service_address = urlsplit(service).netloc


class ForwardingHandler(BaseHTTPRequestHandler):
    server: Proxy

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def do_GET(self) -> None:
        self._forward(b"")

    def do_POST(self) -> None:
        self._forward(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _forward(self, body: bytes) -> None:
        """Forward a request. The response ends with the connection."""
        service = http.client.HTTPConnection(self.server.service_address)
        service.request(self.command, self.path, body, dict(self.headers))
        response = service.getresponse()
        self.send_response(response.status)
        self.send_header("Content-Type", response.headers["Content-Type"])
        self.end_headers()
        is_stream = response.headers["Content-Type"].startswith("text/event-stream")
        for line in response:
            self.wfile.write(line)
            if is_stream and line.startswith(b"data:"):
                self.wfile.write(b"\n")
                break
        service.close()
