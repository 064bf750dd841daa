"""Custom chains in chain workers: they may block, compute and use asyncio without delaying anything else."""

import time
from collections.abc import Callable
from pathlib import Path

from tests.acceptance.assistants.test_assistants import submit
from tests.support.processes import Stack, call

FILE = """
[assistants.default]
system = "Be brief."
[assistants.coroutine]
chain = "tests.acceptance.assistants.chains:coroutine"
[assistants.computing]
chain = "tests.acceptance.assistants.chains:computing"
[assistants.blocked]
chain = "tests.acceptance.assistants.chains:blocked"
total_seconds = 1
"""


def test_chain_workers_run_what_blocks_and_nothing_waits_for_it(start: Callable[..., Stack], tmp_path: Path) -> None:
    file = tmp_path / "assistants.toml"
    file.write_text(FILE)
    stack = start(INTURN_ASSISTANTS=str(file))
    waiting = submit(stack, "first", "hello", "coroutine")
    [why] = call(f"{stack.url}/operator/session?session_id=first").body["why"]
    assert (why["reason"], "make worker CHAINS=1" in why["message"]) == ("no_worker", True)
    stack.chain_workers.append(stack.start_chain_worker())
    assert stack.wait_until_finished(waiting)["status"] == "completed"

    overlapping = [submit(stack, f"overlapping-{n}", "hello", "coroutine") for n in range(5)]
    assert {stack.wait_until_finished(turn)["status"] for turn in overlapping} == {"completed"}

    busy = [submit(stack, name, "hello", name) for name in ("computing", "blocked")]
    for turn in busy:
        stack.wait_until_running(turn)
    began = time.monotonic()
    quick = [submit(stack, f"quick-{n}", "hello", "default") for n in range(3)]
    assert {stack.wait_until_finished(turn)["status"] for turn in quick} == {"completed"}
    assert time.monotonic() - began < 5, "the blocked chain would hold up a worker for a minute"
    assert stack.wait_until_finished(busy[1])["error"]["code"] == "provider_timeout"
    call(f"{stack.url}/v1/turns/{busy[0]}/cancel", method="POST")
