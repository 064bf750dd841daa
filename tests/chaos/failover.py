"""A primary dies while its replica lags: what of the turns that were confirmed in that time is lost."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.support.processes import HttpResponse, Stack, call, turn_request
from tests.support.replicas import ReplicatedStore
from tests.support.waiting import wait_until


@dataclass(frozen=True)
class FailedOver:
    """Ids of turns that were confirmed with 202 while the primary was alone, and those of them that are unknown now."""

    confirmed: list[str]
    lost: list[str]


def fail_over(stack: Stack, replicated: ReplicatedStore, numbers: Iterable[int]) -> FailedOver:
    """Asks the questions of these numbers while the primary is alone; then it dies."""
    replicated.cut_off_replica()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda n: submit(stack, n), numbers))
    confirmed = [answer.body["id"] for answer in answers if answer.status == 202]
    replicated.fail_over()
    wait_until("the endpoint has found the new primary", lambda: call(f"{stack.url}/readyz").status == 200)
    return FailedOver(confirmed, [turn for turn in confirmed if call(f"{stack.url}/v1/turns/{turn}").status == 404])


def submit(stack: Stack, n: int) -> HttpResponse:
    """Asks question n once, in a session and under a key of its own."""
    body, headers = turn_request(f"s{n}", f"question {n}"), {"Idempotency-Key": f"k{n}"}
    return call(f"{stack.url}/v1/turns", method="POST", body=body, headers=headers)


def submit_until_accepted(stack: Stack, n: int) -> str:
    """The turn's id, once it is accepted."""
    found: list[HttpResponse] = []

    def accepted() -> bool:
        found.append(submit(stack, n))
        return found[-1].status == 202

    wait_until(f"question {n} is accepted", accepted, seconds=60)
    turn_id: str = found[-1].body["id"]
    return turn_id
