"""A primary that dies while its replica lags: what was confirmed under `INTURN_REPLICAS=1` is still there."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.failover import fail_over, submit_until_accepted
from tests.support.processes import Stack
from tests.support.replicas import ReplicatedStore
from tests.support.waiting import wait_until


@pytest.mark.parametrize(("replicas", "confirmed"), [(0, 10), (1, 0)])
def test_after_a_fail_over_the_work_goes_on(
    start: Callable[..., Stack], tmp_path: Path, replicas: int, confirmed: int
) -> None:
    replicated = ReplicatedStore(tmp_path)
    stack = start(workers=2, store=replicated, INTURN_REPLICAS=str(replicas))
    kept = [submit_until_accepted(stack, n) for n in range(5)]
    running = stack.submit("running", "long [gate go]")
    wait_until("the turn runs", lambda: stack.turn(running)["status"] == "in_progress")
    failed_over = fail_over(stack, replicated, range(5, 15))
    assert len(failed_over.confirmed) == confirmed, "with INTURN_REPLICAS nothing is, that no replica holds"
    assert failed_over.lost == failed_over.confirmed, "without it, what the replica had not received is lost"

    stack.open_gate("go")
    again = [submit_until_accepted(stack, n) for n in range(15)]
    assert again[:5] == kept
    assert [stack.wait_until_finished(turn)["status"] for turn in [*again, running]] == ["completed"] * 16
    for n in range(15):
        assert [m["content"] for m in stack.messages(f"s{n}") if m["role"] == "user"] == [f"question {n}"]
