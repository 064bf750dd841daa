"""Callers that upload images, submit turns with them and erase sessions; each request is repeated until its answer."""

import hashlib
import json
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.error import HTTPError
from urllib.request import Request

from tests.support.processes import DIRECT, Stack

HEAD = b"\x89PNG\r\n\x1a\n"
FILE_BYTES = 4096
PATIENCE_SECONDS = 120
RETRY_SECONDS = 0.1
ABANDONED = 4  # each fourth upload is referred to by no turn
ERASED = 3  # each third session is erased at its end


@dataclass
class Submitted:
    """An accepted turn with its file, and what the file contains."""

    session: str
    turn_id: str
    file_id: str
    text: str
    sha256: str


@dataclass
class Result:
    """What the callers did."""

    submitted: list[Submitted] = field(default_factory=list)
    erased: set[str] = field(default_factory=set)
    uploads: int = 0


class Callers:
    def __init__(self, stack: Stack, *, sessions: int, turns: int, pause_seconds: float, seed: int) -> None:
        self._stack = stack
        self._sessions = [f"files-{n}" for n in range(sessions)]
        self._turns = turns
        self._pause_seconds = pause_seconds
        self._seed = seed
        self._result = Result()

    def run(self) -> Result:
        with ThreadPoolExecutor(len(self._sessions)) as pool:
            list(pool.map(self._run_session, self._sessions))
        return self._result

    def _run_session(self, session: str) -> None:
        numbers = random.Random(f"{self._seed} {session}")
        for n in range(self._turns):
            if n % ABANDONED == 0:
                self._upload(HEAD + numbers.randbytes(FILE_BYTES))
            self._ask(session, n, HEAD + numbers.randbytes(FILE_BYTES))
            time.sleep(self._pause_seconds)
        if int(session.rpartition("-")[2]) % ERASED == 0:
            self._repeat(lambda: self._send("DELETE", f"/v1/sessions/{session}"))
            self._result.erased.add(session)

    def _ask(self, session: str, n: int, content: bytes) -> None:
        """Submit a turn; if its file has expired while the service was away, upload it again."""
        for attempt in range(100):
            file_id, text = self._upload(content), f"{session} turn {n}"
            parts = [{"type": "text", "text": text}, {"type": "image", "file_id": file_id}]
            body = json.dumps({"session_id": session, "input": parts}).encode()
            headers = {"Content-Type": "application/json", "Idempotency-Key": f"{session}-{n}-{attempt}"}
            answer = self._repeat(lambda: self._send("POST", "/v1/turns", body, headers))  # noqa: B023
            if "id" in answer:
                sha256 = hashlib.sha256(content).hexdigest()
                self._result.submitted.append(Submitted(session, answer["id"], file_id, text, sha256))
                return

    def _upload(self, content: bytes) -> str:
        self._result.uploads += 1
        headers = {"Content-Type": "image/png"}
        file_id: str = self._repeat(lambda: self._send("POST", "/v1/files", content, headers))["id"]
        return file_id

    def _repeat(self, send: Callable[[], dict[str, str] | None]) -> dict[str, str]:
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < give_up_at:
            try:
                answer = send()
            except OSError:
                answer = None
            if answer is not None:
                return answer
            time.sleep(RETRY_SECONDS)
        raise AssertionError("the service has not answered")

    def _send(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> dict[str, str] | None:
        """Return the answer; {} if the request is refused for its file, None if it must be repeated."""
        request = Request(f"{self._stack.url}{path}", data=body, method=method, headers=headers or {})
        try:
            with DIRECT.open(request, timeout=20) as response:
                answer: dict[str, str] = json.loads(response.read() or b"{}")
                return answer
        except HTTPError as error:
            with error:
                return {} if error.code in {400, 404} else None
