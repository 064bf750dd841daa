"""Compare what is stored after a run with what must be there."""

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request

from tests.chaos.files.load import Result, Submitted
from tests.support.processes import DIRECT, Stack
from tests.support.waiting import wait_until

SWEPT_SECONDS = 60


@dataclass
class Verdict:
    """The errors by kind."""

    unfinished: list[str] = field(default_factory=list)  # turns that did not complete
    lacking: list[str] = field(default_factory=list)  # committed turns whose file is not there, or is another one
    unseen: list[str] = field(default_factory=list)  # turns whose bytes the model has not received
    left: list[str] = field(default_factory=list)  # files on the disk without a reference

    @property
    def is_clean(self) -> bool:
        return not any(vars(self).values())


def check(stack: Stack, result: Result, directory: Path) -> Verdict:
    """Wait until all turns have ended and all unused files are deleted, and return the verdict."""
    verdict = Verdict()
    kept = [turn for turn in result.submitted if turn.session not in result.erased]
    for turn in kept:
        if stack.wait_until_finished(turn.turn_id)["status"] != "completed":
            verdict.unfinished.append(turn.text)
    _check_histories(stack, kept, verdict)
    _check_model(stack, kept, verdict)
    expected = {turn.file_id for turn in kept}
    verdict.left = _wait_for(lambda: on_disk(directory) - expected)
    verdict.lacking += sorted(expected - on_disk(directory))
    return verdict


def on_disk(directory: Path) -> set[str]:
    return {path.name for path in directory.glob("??/file_*")}


def _wait_for(left: Callable[[], set[str]]) -> list[str]:
    """Return what is left if it does not become empty."""
    try:
        wait_until("all unused files are deleted", lambda: not left(), seconds=SWEPT_SECONDS)
    except AssertionError:
        return sorted(left())
    return []


def _check_histories(stack: Stack, kept: list[Submitted], verdict: Verdict) -> None:
    for session in {turn.session for turn in kept}:
        stored: Mapping[str, Any] = {
            message["turn_id"]: message for message in stack.messages(session) if message["role"] == "user"
        }
        for turn in kept:
            if turn.session != session:
                continue
            parts = (stored.get(turn.turn_id) or {}).get("parts") or []
            if turn.file_id not in [part["file_id"] for part in parts] or _digest(stack, turn.file_id) != turn.sha256:
                verdict.lacking.append(turn.text)


def _check_model(stack: Stack, kept: list[Submitted], verdict: Verdict) -> None:
    seen = set()
    for request in stack.model_requests():
        text, image = request["messages"][-1]["content"]
        content = base64.b64decode(image["image_url"]["url"].partition(",")[2])
        seen.add((text["text"], hashlib.sha256(content).hexdigest()))
    verdict.unseen += [turn.text for turn in kept if (turn.text, turn.sha256) not in seen]


def _digest(stack: Stack, file_id: str) -> str:
    try:
        with DIRECT.open(Request(f"{stack.url}/v1/files/{file_id}"), timeout=20) as response:
            return hashlib.sha256(response.read()).hexdigest()
    except HTTPError as error:
        with error:
            return str(error.code)
