"""A primary that dies while its replica lags: turns confirmed under `INTURN_REPLICAS=1` are not lost."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.failover import fail_over, submit_until_accepted
from tests.support.processes import Stack
from tests.support.replicas import ReplicatedStore


@pytest.mark.parametrize(("replicas", "confirmed"), [(0, 10), (1, 0)])
def test_turns_run_again_after_a_fail_over(
    start: Callable[..., Stack], tmp_path: Path, replicas: int, confirmed: int
) -> None:
    replicated = ReplicatedStore(tmp_path)
    stack = start(workers=2, store=replicated, INTURN_REPLICAS=str(replicas))
    kept = [submit_until_accepted(stack, n) for n in range(5)]
    running = stack.submit("running", "long [gate go]")
    stack.wait_until_running(running)
    outcome = fail_over(stack, replicated, range(5, 15))
    assert len(outcome.confirmed) == confirmed, "INTURN_REPLICAS=1 confirms no turn that the replica lacks"
    assert outcome.lost == outcome.confirmed, "without it, turns that the replica had not received are lost"

    stack.open_gate("go")
    again = [submit_until_accepted(stack, n) for n in range(15)]
    assert again[:5] == kept
    assert [stack.wait_until_finished(turn)["status"] for turn in [*again, running]] == ["completed"] * 16
    for n in range(15):
        assert [m["content"] for m in stack.messages(f"s{n}") if m["role"] == "user"] == [f"question {n}"]
