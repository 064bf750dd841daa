"""A caller over one keep-alive connection. Its CPU is not counted."""

import json
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from tests.processes import request

POLL_SECONDS = 0.25  # how often somebody asks who cannot wait
IDLE_SECONDS = 2  # a connection that was idle for longer may just be closed by the other side


class Caller:
    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._connection = HTTPConnection(address.hostname or "", address.port, timeout=120)
        self._used_at = time.monotonic()

    def close(self) -> None:
        self._connection.close()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body)
        if time.monotonic() - self._used_at > IDLE_SECONDS:
            self._connection.close()
        self._connection.request(method, path, data, {"Content-Type": "application/json"} if data else {})
        response = self._connection.getresponse()
        answer = json.loads(response.read() or b"null")
        self._used_at = time.monotonic()
        if response.status >= 400:
            raise RuntimeError(f"{method} {path}: {response.status} {answer}")
        return answer

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
        self._connection.request("GET", f"/v1/turns/{turn_id}/events", headers={"Accept": "text/event-stream"})
        response = self._connection.getresponse()
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
