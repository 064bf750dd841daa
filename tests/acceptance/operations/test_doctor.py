"""`make doctor` finds problems and prints a fix for each."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.acceptance.operations.operating import pause
from tests.support.processes import Stack
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


def test_all_findings_of_a_healthy_service_are_ok(stack: Stack) -> None:
    code, output = doctor(stack, "--ask-model")
    assert code == 0
    assert "wrong" not in output
    for subject in ("store", "durability", "eviction", "workers", "endpoint", "model", "packages"):
        assert f"ok      {subject}: " in output, output


def test_each_assistant_s_failing_model_is_reported(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "assistants.toml"
    file.write_text(
        "".join(f'[assistants.{name}]\nsystem = "x"\nbase_url = "http://127.0.0.1:9/{name}"\n' for name in "ab")
        + '[assistants.default]\nsystem = "x"\n'
    )
    code, output = doctor(stack, "--ask-model", INTURN_ASSISTANTS=str(file))
    assert code == 1
    assert "; assistant a)" in output
    assert "; assistant b)" in output
    assert output.count("wrong   model: provider_unreachable") == 2


def test_an_unreachable_store_is_reported(stack: Stack) -> None:
    code, output = doctor(stack, REDIS_URL="unix:///nowhere")
    assert code == 1
    assert "REDIS_URL" in output
    assert re.search("ok      model: .* answers and has gpt-4o-mini\n", output)


def test_each_problem_is_printed_with_its_fix(stack: Stack) -> None:
    """This test is the last one, because it stops the shared processes."""
    stack.wait_until_finished(stack.submit("broken", "hello [fail 401]"))
    pause(stack, "tenant/acme", reason="floods us")
    stack.store.raw.config_set("maxmemory-policy", "allkeys-lru")
    stack.web.stop()
    stack.workers[0].stop()
    code, output = doctor(stack, "--ask-model", OPENAI_BASE_URL="http://127.0.0.1:9/v1")
    assert code == 1
    assert "note    failed turns: 1 unresolved: provider_authentication 1\n" in output
    for subject, remedy in (
        ("workers", "make worker"),
        ("eviction", "noeviction"),
        ("endpoint", "make web"),
        ("model", "OPENAI_BASE_URL"),
    ):
        [found] = [
            line for line in output.replace("\n        →", " →").splitlines() if line.startswith(f"wrong   {subject}: ")
        ]
        assert remedy in found
    assert "note    service: A part of the service is paused. The tenant acme has been paused for " in output
