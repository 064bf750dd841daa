"""A tenant with a mountain of work does not keep another one from its first turn."""

from collections.abc import Callable

from tests.acceptance.delivery.test_tenants import asked, make_key
from tests.support.processes import Stack, call, turn_request
from tests.support.waiting import wait_until

SESSIONS = 500


def test_five_hundred_busy_sessions_of_one_tenant_do_not_slow_the_first_turn_of_another(
    start: Callable[..., Stack],
) -> None:
    stack = start(workers=1, INTURN_CONCURRENCY="10", INTURN_TENANT_CONCURRENCY="5", INTURN_TENANT_BACKLOG="1000")
    many, one = make_key(stack, "many"), make_key(stack, "one")
    wait_until("keys are asked for", lambda: call(f"{stack.url}/v1/turns").status == 401)
    for first in range(0, SESSIONS, 100):
        turns = [turn_request(f"s{n}", "hello [delay 1]") for n in range(first, first + 100)]
        assert asked(stack, "POST", "/v1/turns/batch", many, {"turns": turns}).status == 200
    turn = asked(stack, "POST", "/v1/turns", one, turn_request("s", "hello")).body
    link = turn["links"]["self"]
    wait_until("it is answered", lambda: asked(stack, "GET", f"{link}?wait=5", one).body["status"] == "completed")
    left = int(stack.store.raw.hget("inturn:tenant:many", "live"))
    assert left > SESSIONS * 0.9, f"{left} of {SESSIONS} turns of the other tenant were still to come"
