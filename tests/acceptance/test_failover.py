"""A primary that dies while its replica lags: what was confirmed under `INTURN_REPLICAS=1` is still there."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.processes import Answer, Stack, call, free_port, request
from tests.replicated import ReplicatedStore
from tests.waiting import wait_until


def submit(stack: Stack, n: int) -> Answer:
    """Asks once, under a key of its own."""
    body, headers = request(f"s{n}", f"question {n}"), {"Idempotency-Key": f"k{n}"}
    return call(f"{stack.url}/v1/turns", method="POST", body=body, headers=headers)


def submit_until_accepted(stack: Stack, n: int) -> str:
    """The turn's id, once it is accepted."""
    found: list[Answer] = []

    def accepted() -> bool:
        found.append(submit(stack, n))
        return found[-1].status == 202

    wait_until(f"question {n} is accepted", accepted, seconds=60)
    turn_id: str = found[-1].body["id"]
    return turn_id


@pytest.fixture
def replicated(tmp_path: Path) -> ReplicatedStore:
    return ReplicatedStore(tmp_path, [free_port() for _ in range(5)])


@pytest.mark.parametrize("replicas", [0, 1])
def test_after_a_fail_over_the_work_goes_on(
    start: Callable[..., Stack], replicated: ReplicatedStore, replicas: int
) -> None:
    stack = start(workers=2, store=replicated, INTURN_REPLICAS=str(replicas))
    kept = [submit_until_accepted(stack, n) for n in range(5)]
    running = stack.submit("running", "long [gate go]")
    wait_until("the turn runs", lambda: stack.turn(running)["status"] == "in_progress")
    replicated.cut_off_replica()
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda n: submit(stack, n), range(5, 15)))
    confirmed = [answer.body["id"] for answer in answers if answer.status == 202]
    assert len(confirmed) == (0 if replicas else 10), "what no replica holds is not confirmed when it must be"

    replicated.fail_over()
    stack.open_gate("go")
    again = [submit_until_accepted(stack, n) for n in range(15)]
    for turn_id in [*kept, *again, running]:
        assert stack.finished(turn_id)["status"] == "completed"
    for n in range(15):
        assert [m["content"] for m in stack.messages(f"s{n}") if m["role"] == "user"] == [f"question {n}"]
    lost = [turn_id for turn_id in confirmed if call(f"{stack.url}/v1/turns/{turn_id}").status == 404]
    assert len(lost) == len(confirmed), "an asynchronous replica loses what it had not received"
