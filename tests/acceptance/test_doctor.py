"""`make doctor` finds what is wrong, and says what to do."""

import os
import subprocess
import sys
from collections.abc import Callable

from tests.processes import Stack
from tools import ROOT


def doctor(stack: Stack, *arguments: str, **environment: str) -> tuple[int, str]:
    ended = subprocess.run(
        [sys.executable, "-m", "supervisor.doctor", *arguments],
        cwd=ROOT,
        env={**os.environ, **stack.environment, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr == ""
    return ended.returncode, ended.stdout


def test_a_service_that_is_well(start: Callable[..., Stack]) -> None:
    code, said = doctor(start(workers=1), "--ask-model")
    assert code == 0
    assert "wrong" not in said
    for about in ("store", "durability", "eviction", "workers", "endpoint", "model", "packages"):
        assert f"ok      {about}: " in said or f"ok      the {about}" in said, said


def test_each_thing_that_is_wrong_has_its_remedy(start: Callable[..., Stack]) -> None:
    stack = start(workers=0)
    stack.server.raw.config_set("maxmemory-policy", "allkeys-lru")
    stack.web.stop()
    code, said = doctor(stack, "--ask-model", OPENAI_BASE_URL="http://127.0.0.1:9/v1")
    assert code == 1
    for about, remedy in (
        ("workers", "make worker"),
        ("eviction", "noeviction"),
        ("endpoint", "make web"),
        ("model", "OPENAI_BASE_URL"),
    ):
        [found] = [
            line for line in said.replace("\n        →", " →").splitlines() if line.startswith(f"wrong   {about}: ")
        ]
        assert remedy in found


def test_a_store_that_is_away(start: Callable[..., Stack]) -> None:
    stack = start(workers=0)
    stack.server.kill()
    code, said = doctor(stack)
    assert code == 1
    assert "REDIS_URL" in said
