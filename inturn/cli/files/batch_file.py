"""A batch of turns and its result file, from which an interrupted batch is resumed.

Turns are submitted in parts with fixed boundaries, each with an idempotency key made of the run's name and the part's
number. A part that is submitted again, after an interruption or because some of its turns were refused for lack of
capacity, therefore returns the turns that already exist and creates only the refused ones.
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

PART_SIZE = 50  # two parts are in flight at once, together as many turns as one session may have waiting
RESUBMIT_SECONDS = 2.0


class BatchFileError(Exception):
    """The input file is invalid, or the result file belongs to another batch."""


@dataclass(frozen=True)
class BatchInput:
    """The turns of an input file. `digest` identifies the file's content and the defaults."""

    bodies: list[TurnBody]
    digest: str

    @classmethod
    def load(cls, file: Path, defaults: Mapping[str, Any]) -> "BatchInput":
        """Parse the whole file before anything is submitted. Raise `BatchFileError`."""
        digest = hashlib.sha256(json.dumps(defaults, sort_keys=True).encode())
        bodies = []
        with file.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                digest.update(line)
                bodies.append(_parse_line(line, defaults, f"{file}:{number}"))
        return cls(bodies, digest.hexdigest())

    def run(self, turns: Turns, run_name: str, *, start: int) -> Iterator[Json]:
        """Yield the results from index `start` on, in order. Raise `InTurnError` if the service stays away."""
        first_part = start // PART_SIZE
        submitted_ahead = self._submit(first_part, turns, run_name)
        for part in range(first_part, math.ceil(len(self.bodies) / PART_SIZE)):
            outcomes = submitted_ahead
            submitted_ahead = self._submit(part + 1, turns, run_name)
            for offset in range(len(outcomes)):
                index = part * PART_SIZE + offset
                if index < start:
                    continue
                while isinstance(outcomes[offset], (TooMany, Unavailable)):
                    time.sleep(RESUBMIT_SECONDS)
                    outcomes = self._submit(part, turns, run_name)
                yield {"line": index + 1, **_result(outcomes[offset])}

    def _submit(self, part: int, turns: Turns, run_name: str) -> list[Turn | InTurnError]:
        """Return the outcome of each turn of a part; an empty list after the last part."""
        start = part * PART_SIZE
        bodies = [
            cast("TurnBody", {"session_id": f"{run_name}-{number}", **body})
            for number, body in enumerate(self.bodies[start : start + PART_SIZE], start + 1)
        ]
        return turns.batch(bodies, idempotency_key=f"{run_name}-{part}")


class BatchResults:
    """The result file. Until the batch is complete it is `PATH.part`, whose first line identifies the run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run_name = ""
        self.done = 0
        self._without_answer = 0
        self._part = path.with_name(f"{path.name}.part")
        self._file: IO[bytes] | None = None

    def open(self, digest: str, *, force: bool) -> None:
        """Open the file to append results, after those of an interrupted run. Raise `BatchFileError`."""
        if self.path.exists() and not force:
            raise BatchFileError(f"{self.path} already exists; use --force to replace it.")
        complete = b"" if force else self._complete_lines()
        if complete:
            self._resume(complete, digest)
        else:
            self._begin(digest)
        self._file = self._part.open("ab")

    def append(self, result: Json) -> None:
        """Write a result and flush it, so that it survives this process."""
        assert self._file  # noqa: S101  # `open` comes first
        self._file.write(json.dumps(result).encode() + b"\n")
        self._file.flush()
        self._count(result)

    def finish(self) -> int:
        """Move the results to `path`. Return the number of turns without an answer."""
        self.close()
        whole = self._part.with_suffix(".whole")
        whole.write_bytes(self._part.read_bytes().partition(b"\n")[2])
        os.replace(whole, self.path)
        self._part.unlink()
        return self._without_answer

    def close(self) -> None:
        """Close the file and keep its content."""
        if self._file:
            self._file.close()

    def _complete_lines(self) -> bytes:
        """Return the lines without a torn last one. If the first is missing, nothing was submitted."""
        if not self._part.exists():
            return b""
        lines, end, _ = self._part.read_bytes().rpartition(b"\n")
        return lines + end

    def _begin(self, digest: str) -> None:
        self.run_name = f"batch-{secrets.token_hex(6)}"
        self._part.write_text(json.dumps({"run": self.run_name, "digest": digest}) + "\n", encoding="utf-8")

    def _resume(self, complete: bytes, digest: str) -> None:
        head, *results = [json.loads(line) for line in complete.splitlines()]
        if head["digest"] != digest:
            raise BatchFileError(f"{self._part} belongs to other input or options; use --force to start over.")
        os.truncate(self._part, len(complete))
        self.run_name = head["run"]
        for result in results:
            self._count(result)

    def _count(self, result: Json) -> None:
        self.done += 1
        self._without_answer += result.get("turn", {}).get("status") != "completed"


def _parse_line(line: bytes, defaults: Mapping[str, Any], location: str) -> TurnBody:
    try:
        body = json.loads(line)
    except ValueError as error:
        raise BatchFileError(f"{location}: must be JSON: {error}") from None
    if not isinstance(body, dict) or not isinstance(body.get("input"), str):
        raise BatchFileError(f'{location}: must be an object with an "input" of text')
    return cast("TurnBody", {"lane": "batch", **defaults, **body})


def _result(outcome: Turn | InTurnError) -> Json:
    if isinstance(outcome, InTurnError):
        return _problem(outcome)
    try:
        return {"turn": outcome.wait().raw}
    except Unavailable:
        raise
    except InTurnError as error:
        return _problem(error)


def _problem(error: InTurnError) -> Json:
    return {"problem": {"status": error.status, "code": error.code, "detail": error.message}}
