"""A tenant with many waiting turns does not delay the first turn of another tenant."""

from collections.abc import Callable

from tests.support.processes import Stack, call, turn_request
from tests.support.waiting import wait_until

SESSIONS = 500


def test_a_busy_tenant_does_not_delay_another_tenant(start: Callable[..., Stack]) -> None:
    stack = start(workers=1, INTURN_CONCURRENCY="10", INTURN_TENANT_CONCURRENCY="5", INTURN_TENANT_BACKLOG="1000")
    busy, idle = stack.create_api_key("busy"), stack.create_api_key("idle")
    wait_until("API keys are required", lambda: call(f"{stack.url}/v1/turns").status == 401)
    for first in range(0, SESSIONS, 100):
        batch = {"turns": [turn_request(f"s{n}", "hello [gate never]") for n in range(first, first + 100)]}
        assert call(f"{stack.url}/v1/turns/batch", method="POST", body=batch, api_key=busy).status == 200
    turn = call(f"{stack.url}/v1/turns", method="POST", body=turn_request("s", "hello"), api_key=idle).body
    link = f"{stack.url}{turn['links']['self']}?wait=5"
    wait_until("the turn is completed", lambda: call(link, api_key=idle).body["status"] == "completed")
    assert int(stack.store.raw.hget("inturn:tenant:busy", "live")) == SESSIONS, "it did not wait for any of them"
