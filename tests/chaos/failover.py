"""Kill a primary while its replica lags, and find the turns that were confirmed in that time and are lost."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.support.processes import HttpResponse, Stack, call, turn_request
from tests.support.replicas import ReplicatedStore
from tests.support.waiting import wait_until

FAILOVER_TURNS = 500


@dataclass(frozen=True)
class FailoverOutcome:
    """Ids of the turns that were confirmed with 202 while the replica lagged, and of those that are now unknown."""

    confirmed: list[str]
    lost: list[str]


def fail_over(stack: Stack, replicated: ReplicatedStore, numbers: Iterable[int]) -> FailoverOutcome:
    """Submit turns with these numbers while the replica receives nothing, then fail over to the replica."""
    replicated.cut_off_replica()
    with ThreadPoolExecutor(20) as pool:
        responses = list(pool.map(lambda n: submit(stack, n), numbers))
    confirmed = [response.body["id"] for response in responses if response.status == 202]
    replicated.fail_over()
    wait_until("the endpoint is connected to the new primary", lambda: call(f"{stack.url}/readyz").status == 200)
    return FailoverOutcome(
        confirmed, [turn for turn in confirmed if call(f"{stack.url}/v1/turns/{turn}").status == 404]
    )


def submit(stack: Stack, n: int) -> HttpResponse:
    """Submit question n once, with a separate session and idempotency key."""
    body, headers = turn_request(f"s{n}", f"question {n}"), {"Idempotency-Key": f"k{n}"}
    return call(f"{stack.url}/v1/turns", method="POST", body=body, headers=headers)


def submit_until_accepted(stack: Stack, n: int) -> str:
    """Submit question n until it is accepted, and return the turn's id."""
    responses: list[HttpResponse] = []

    def is_accepted() -> bool:
        responses.append(submit(stack, n))
        return responses[-1].status == 202

    wait_until(f"question {n} is accepted", is_accepted, seconds=60)
    turn_id: str = responses[-1].body["id"]
    return turn_id
