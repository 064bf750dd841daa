"""A model that hangs, or a tenant with many turns, leaves workers for others without any setting."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import Stack, call, turn_request
from tests.support.waiting import wait_until

CAPACITY = 20
TURNS = 30
FULL = {"in_progress": 18, "queued": 12}  # 90 % of the capacity
ASSISTANTS = """
[assistants.default]
[assistants.hangs]
model = "slow"
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    file: Path = tmp_path_factory.mktemp("assistants") / "assistants.toml"
    file.write_text(ASSISTANTS)
    return {"INTURN_ASSISTANTS": str(file), "INTURN_CONCURRENCY": str(CAPACITY)}


@pytest.fixture(scope="module")
def keys(stack: Stack) -> dict[str, str]:
    """Return the API key of each tenant."""
    keys = {tenant: stack.create_api_key(tenant) for tenant in ("busy", "idle")}
    wait_until("API keys are required", lambda: call(f"{stack.url}/v1/turns").status == 401)
    return keys


def fill(stack: Stack, gate: str, api_key: str, **more: Any) -> list[str]:
    """Submit more turns than the workers can run, which wait for the gate; return the links to them."""
    turns = [turn_request(f"{gate}{n}", f"hello [gate {gate}]", **more) for n in range(TURNS)]
    reply = call(f"{stack.url}/v1/turns/batch", method="POST", body={"turns": turns}, api_key=api_key)
    return [f"{stack.url}/v1/turns/{item['turn']['id']}" for item in reply.body["data"]]


def count_statuses(links: list[str], api_key: str) -> dict[str, int]:
    statuses = [call(link, api_key=api_key).body["status"] for link in links]
    return {status: statuses.count(status) for status in statuses}


def complete_turn(stack: Stack, session_id: str, api_key: str) -> None:
    body = turn_request(session_id, "hello")
    turn = call(f"{stack.url}/v1/turns", method="POST", body=body, api_key=api_key).body
    link = f"{stack.url}{turn['links']['self']}?wait=10"
    wait_until("the turn is completed", lambda: call(link, api_key=api_key).body["status"] == "completed")


def test_a_model_that_hangs_does_not_delay_other_turns(stack: Stack, keys: dict[str, str]) -> None:
    busy = keys["busy"]
    hanging = fill(stack, "hangs", busy, assistant="hangs")
    wait_until("the model has its share", lambda: count_statuses(hanging, busy) == FULL)
    complete_turn(stack, "other-model", busy)
    assert count_statuses(hanging, busy) == FULL
    stack.open_gate("hangs")
    wait_until("all turns are completed", lambda: count_statuses(hanging, busy) == {"completed": TURNS})


def test_a_tenant_with_many_turns_does_not_delay_others(stack: Stack, keys: dict[str, str]) -> None:
    busy, idle = keys["busy"], keys["idle"]
    many = fill(stack, "many", busy)
    wait_until("the tenant has its share", lambda: count_statuses(many, busy) == FULL)
    complete_turn(stack, "other-tenant", idle)
    assert count_statuses(many, busy) == FULL
    stack.open_gate("many")
    wait_until("all turns are completed", lambda: count_statuses(many, busy) == {"completed": TURNS})
