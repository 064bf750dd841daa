"""An HTTP client over one keep-alive connection, to load the endpoint."""

import json
import socket
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from tests.support.processes import EXAMPLE, turn_request

POLL_SECONDS = 0.25  # pause between reads where the endpoint has no long poll
MAX_IDLE_SECONDS = 2  # the server may be closing a connection that was idle for longer


class Caller:
    """Send plain requests over a bare socket, and read event streams with `http.client`.

    The CPU of callers is not counted, but they share the cores with the measured processes. A bare socket needs less
    CPU than `http.client`.
    """

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._address = (address.hostname or "", address.port or 80)
        self._connection: socket.socket | None = None
        self._responses: Any = None
        self._stream_reader = HTTPConnection(*self._address, timeout=120)
        self._used_at = time.monotonic()

    def close(self) -> None:
        self._stream_reader.close()
        if self._connection:
            self._responses.close()
            self._connection.close()
            self._connection = None

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Return the decoded body. Raises `RuntimeError` for an error status."""
        if time.monotonic() - self._used_at > MAX_IDLE_SECONDS:
            self.close()
        if self._connection is None:
            self._connection = socket.create_connection(self._address, timeout=120)
            self._responses = self._connection.makefile("rb")
        data = b"" if body is None else json.dumps(body).encode()
        kind = "Content-Type: application/json\r\n" if data else ""
        head = f"{method} {path} HTTP/1.1\r\nHost: {self._address[0]}\r\n{kind}Content-Length: {len(data)}\r\n\r\n"
        self._connection.sendall(head.encode() + data)
        status, content = self._read_response()
        self._used_at = time.monotonic()
        if status >= 400:
            raise RuntimeError(f"{method} {path}: {status} {content!r}")
        return json.loads(content or b"null")

    def submit(self, session: str, text: str) -> str:
        """Submit a turn and return its id."""
        return str(self.call("POST", "/v1/turns", turn_request(session, text, **EXAMPLE))["id"])

    def wait_for_turn(self, turn_id: str) -> None:
        """Wait with long polls until the turn has completed. Raises `RuntimeError` if it ends otherwise."""
        while not self._is_completed(self.call("GET", f"/v1/turns/{turn_id}?wait=30")):
            pass

    def poll_turn(self, turn_id: str) -> None:
        """Read the turn at intervals until it has completed. Raises `RuntimeError` if it ends otherwise."""
        while not self._is_completed(self.call("GET", f"/v1/turns/{turn_id}")):
            time.sleep(POLL_SECONDS)

    def read_events(self, turn_id: str) -> Iterator[tuple[str, float]]:
        """Yield the name and arrival time of each event of the turn, up to `done`."""
        reader = self._stream_reader
        reader.request("GET", f"/v1/turns/{turn_id}/events", headers={"Accept": "text/event-stream"})
        response = reader.getresponse()
        if response.status != 200:
            raise RuntimeError(f"events of {turn_id}: {response.status} {response.read()!r}")
        while line := response.readline():
            if line.startswith(b"event: "):
                name = line[7:].decode().strip()
                yield name, time.perf_counter()
                if name == "done":
                    break
        response.read()

    def _read_response(self) -> tuple[int, bytes]:
        version, status, *_ = self._responses.readline().split()
        headers = dict(self._read_headers())
        if headers.get(b"transfer-encoding") == b"chunked":
            body = b"".join(self._read_chunks())
        elif b"content-length" in headers or status == b"204":
            body = self._responses.read(int(headers.get(b"content-length", 0)))
        else:
            body = self._responses.read()
        if version == b"HTTP/1.0" or headers.get(b"connection", b"").lower() == b"close":
            self.close()
        return int(status), body

    def _read_headers(self) -> Iterator[tuple[bytes, bytes]]:
        while line := self._responses.readline().strip():
            name, _, value = line.partition(b":")
            yield name.lower(), value.strip()

    def _read_chunks(self) -> Iterator[bytes]:
        while size := int(self._responses.readline(), 16):
            yield self._responses.read(size)
            self._responses.readline()
        self._responses.readline()

    def _is_completed(self, turn: dict[str, Any]) -> bool:
        if turn["status"] in {"failed", "cancelled", "incomplete"}:
            raise RuntimeError(f"a turn ended as {turn['status']}: {turn}")
        return bool(turn["finished_at"])
