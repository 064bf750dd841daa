"""A file of turns, and the file of their results: what is in the second need not be done again.

Turns are submitted in parts whose borders never move, each with an idempotency key made of the run's name and the
part's number. So a part that is submitted again, because this command was stopped or because a part of it was refused
for want of room, gives the turns that it gave before, and only what was refused is new.
"""

import hashlib
import json
import math
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from inturn.client import Turn, Turns
from inturn.errors import InTurnError, TooMany, Unavailable
from inturn.values import Json, TurnBody

PART = 50  # two parts are on their way at once: as many turns as one session may have waiting
PAUSE_SECONDS = 2.0


class WrongLine(Exception):
    """The file cannot be run, or its results belong to another one."""


@dataclass(frozen=True)
class Batch:
    bodies: list[TurnBody]
    digest: str

    @classmethod
    def read(cls, file: Path, defaults: Mapping[str, Any]) -> "Batch":
        """Raises `WrongLine`, before anything is submitted."""
        digest = hashlib.sha256(json.dumps(defaults, sort_keys=True).encode())
        bodies = []
        with file.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                digest.update(line)
                bodies.append(_body(line, defaults, f"{file}:{number}"))
        return cls(bodies, digest.hexdigest())

    def results(self, turns: Turns, run: str, *, start: int) -> Iterator[Json]:
        """Of each line from `start` on, in order. Raises `InTurnError` when the service stays away."""
        first = start // PART
        ahead = self._submit(first, turns, run)
        for number in range(first, math.ceil(len(self.bodies) / PART)):
            outcomes = ahead
            ahead = self._submit(number + 1, turns, run)
            for place in range(len(outcomes)):
                line = number * PART + place
                if line < start:
                    continue
                while _may_be_taken_later(outcomes[place]):
                    time.sleep(PAUSE_SECONDS)
                    outcomes = self._submit(number, turns, run)
                yield {"line": line + 1, **_result(outcomes[place])}

    def _submit(self, number: int, turns: Turns, run: str) -> list[Turn | InTurnError]:
        """What became of the turns of a part; of none, beyond the last part."""
        begin = number * PART
        part = [
            cast("TurnBody", {"session_id": f"{run}-{line}", **body})
            for line, body in enumerate(self.bodies[begin : begin + PART], begin + 1)
        ]
        return turns.batch(part, idempotency_key=f"{run}-{number}")


class BatchFile:
    """Results as they come, in `PATH.part`, whose first line says which run they are of."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run = ""
        self.done = 0
        self._without_answer = 0
        self._part = path.with_name(f"{path.name}.part")
        self._file: IO[bytes] | None = None

    def open(self, digest: str, *, force: bool) -> None:
        """New results go after those that are there. Raises `WrongLine`."""
        if self.path.exists() and not force:
            raise WrongLine(f"{self.path} is there already; --force replaces it.")
        complete = b"" if force else self._complete()
        if complete:
            self._take_up(complete, digest)
        else:
            self._begin(digest)
        self._file = self._part.open("ab")

    def append(self, result: Json) -> None:
        """The result outlives this command."""
        assert self._file  # noqa: S101  # opened first
        self._file.write(json.dumps(result).encode() + b"\n")
        self._file.flush()
        self._count(result)

    def finish(self) -> int:
        """All results are in `path`, and nothing else. How many turns ended without an answer."""
        self.close()
        whole = self._part.with_suffix(".whole")
        whole.write_bytes(self._part.read_bytes().partition(b"\n")[2])
        os.replace(whole, self.path)
        self._part.unlink()
        return self._without_answer

    def close(self) -> None:
        """What is in the file stays."""
        if self._file:
            self._file.close()

    def _complete(self) -> bytes:
        """The lines that are there; a last one without an end was torn. Without the first, nothing was submitted."""
        if not self._part.exists():
            return b""
        lines, end, _ = self._part.read_bytes().rpartition(b"\n")
        return lines + end

    def _begin(self, digest: str) -> None:
        self.run = f"batch-{secrets.token_hex(6)}"
        self._part.write_text(json.dumps({"run": self.run, "digest": digest}) + "\n", encoding="utf-8")

    def _take_up(self, complete: bytes, digest: str) -> None:
        head, *results = [json.loads(line) for line in complete.splitlines()]
        if head["digest"] != digest:
            raise WrongLine(f"{self._part} holds results of other lines; --force begins anew.")
        os.truncate(self._part, len(complete))
        self.run = head["run"]
        for result in results:
            self._count(result)

    def _count(self, result: Json) -> None:
        self.done += 1
        self._without_answer += result.get("turn", {}).get("status") != "completed"


def _body(line: bytes, defaults: Mapping[str, Any], where: str) -> TurnBody:
    try:
        body = json.loads(line)
    except ValueError as error:
        raise WrongLine(f"{where}: must be JSON: {error}") from None
    if not isinstance(body, dict) or not isinstance(body.get("input"), str):
        raise WrongLine(f'{where}: must be an object with an "input" of text')
    return cast("TurnBody", {"lane": "batch", **defaults, **body})


def _may_be_taken_later(outcome: Turn | InTurnError) -> bool:
    return isinstance(outcome, (TooMany, Unavailable))


def _result(outcome: Turn | InTurnError) -> Json:
    if isinstance(outcome, InTurnError):
        return {"problem": {"status": outcome.status, "code": outcome.code, "detail": outcome.message}}
    try:
        return {"turn": outcome.wait().raw}
    except InTurnError as error:
        if isinstance(error, Unavailable):
            raise
        return {"problem": {"status": error.status, "code": error.code, "detail": error.message}}
