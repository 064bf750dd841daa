"""A caller over one keep-alive connection. Its CPU is not counted."""

import json
import socket
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from tests.support.processes import request

POLL_SECONDS = 0.25  # how often somebody asks who cannot wait
IDLE_SECONDS = 2  # a connection that was idle for longer may just be closed by the other side


class Caller:
    """Plain requests go over a bare socket: what a caller costs is not counted, but it shares the cores."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._address = (address.hostname or "", address.port or 80)
        self._connection: socket.socket | None = None
        self._answers: Any = None
        self._reader = HTTPConnection(*self._address, timeout=120)
        self._used_at = time.monotonic()

    def close(self) -> None:
        self._reader.close()
        if self._connection:
            self._answers.close()
            self._connection.close()
            self._connection = None

    def call(self, method: str, path: str, body: Any = None) -> Any:
        if time.monotonic() - self._used_at > IDLE_SECONDS:
            self.close()
        if self._connection is None:
            self._connection = socket.create_connection(self._address, timeout=120)
            self._answers = self._connection.makefile("rb")
        data = b"" if body is None else json.dumps(body).encode()
        kind = "Content-Type: application/json\r\n" if data else ""
        head = f"{method} {path} HTTP/1.1\r\nHost: {self._address[0]}\r\n{kind}Content-Length: {len(data)}\r\n\r\n"
        self._connection.sendall(head.encode() + data)
        status, answer = self._read()
        self._used_at = time.monotonic()
        if status >= 400:
            raise RuntimeError(f"{method} {path}: {status} {answer!r}")
        return json.loads(answer or b"null")

    def _read(self) -> tuple[int, bytes]:
        version, status, *_ = self._answers.readline().split()
        headers = dict(self._headers())
        if headers.get(b"transfer-encoding") == b"chunked":
            body = b"".join(self._chunks())
        elif b"content-length" in headers or status == b"204":
            body = self._answers.read(int(headers.get(b"content-length", 0)))
        else:
            body = self._answers.read()
        if version == b"HTTP/1.0" or headers.get(b"connection", b"").lower() == b"close":
            self.close()
        return int(status), body

    def _headers(self) -> Iterator[tuple[bytes, bytes]]:
        while line := self._answers.readline().strip():
            name, _, value = line.partition(b":")
            yield name.lower(), value.strip()

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self._answers.readline(), 16):
            yield self._answers.read(size)
            self._answers.readline()
        self._answers.readline()

    def submit(self, session: str, said: str) -> str:
        return str(self.call("POST", "/v1/turns", request(session, said))["id"])

    def wait(self, turn_id: str) -> None:
        """The turn has been completed, and this long-poll was told so."""
        while not self._is_completed(self.call("GET", f"/v1/turns/{turn_id}?wait=30")):
            pass

    def poll(self, turn_id: str) -> None:
        """The same, for an endpoint that cannot wait."""
        while not self._is_completed(self.call("GET", f"/v1/turns/{turn_id}")):
            time.sleep(POLL_SECONDS)

    def events(self, turn_id: str) -> Iterator[tuple[str, float]]:
        """The names of the turn's events as they come, each with its instant; until `done`."""
        reader = self._reader
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

    def _is_completed(self, turn: dict[str, Any]) -> bool:
        if turn["status"] in {"failed", "cancelled", "incomplete"}:
            raise RuntimeError(f"a turn ended as {turn['status']}: {turn}")
        return bool(turn["finished_at"])
