"""The store and the endpoint on one host, the workers on another, and a cable that a test unplugs."""

import inspect
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
import redis

from inturn.testing.ports import free_port
from tests.acceptance.delivery import test_order
from tests.acceptance.http import test_contract, test_conversation, test_streams
from tests.chaos.run import run
from tests.hosts.network import BACK, FRONT_ADDRESS, Cable, is_available, two_hosts
from tests.support.processes import Process, Stack
from tests.support.server import DURABLE, Server

OUTAGE_SECONDS = 30.0  # longer than a worker repeats a command

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(not is_available(), reason="network namespaces need root and iproute2"),
]


class FrontServer(Server):
    def __init__(self, directory: Path) -> None:
        port = free_port()
        super().__init__(
            directory, options=(*DURABLE, "--port", str(port), "--bind", FRONT_ADDRESS, "--protected-mode", "no")
        )
        self.raw.close()
        self.raw = redis.Redis(host=FRONT_ADDRESS, port=port)
        self.url = f"redis://{FRONT_ADDRESS}:{port}/0"


class TwoHosts(Stack):
    """Workers run on the back host and reach the store and the model through the cable."""

    model_address = FRONT_ADDRESS
    forks_processes = False  # a template would stay in the network of the first test

    def start_worker(self) -> Process:
        return self._process("worker", prefix=("ip", "netns", "exec", BACK))


@pytest.fixture
def cable() -> Iterator[Cable]:
    with two_hosts() as cable:
        yield cable


def test_turns_run_in_order_across_hosts(cable: Cable, tmp_path: Path) -> None:
    with TwoHosts(tmp_path, workers=test_order.WORKERS, store=FrontServer(tmp_path)) as stack:
        test_order.test_turns_of_fifty_sessions_run_in_order(lambda workers: stack)


@pytest.mark.parametrize(
    "acceptance", [test_conversation, test_contract, test_streams], ids=lambda module: module.__name__
)
def test_the_acceptance_tests_pass_across_hosts(acceptance: ModuleType, cable: Cable, tmp_path: Path) -> None:
    settings = {"INTURN_LOG_FORMAT": "json", "INTURN_CORS_ORIGINS": test_contract.ORIGIN}
    tests = stack_tests(acceptance)
    assert len(tests) >= 3
    with TwoHosts(tmp_path, workers=2, settings=settings, store=FrontServer(tmp_path)) as stack:
        for test in tests:
            test(stack)


def stack_tests(module: ModuleType) -> list[Callable[[Stack], None]]:
    """Return the tests of the module whose only argument is a stack."""
    tests = [value for name, value in vars(module).items() if name.startswith("test_")]
    return [test for test in tests if list(inspect.signature(test).parameters) == ["stack"]]


def test_half_a_minute_without_a_network_loses_nothing(cable: Cable, tmp_path: Path) -> None:
    settings = {"INTURN_LOG_FORMAT": "json", "INTURN_HISTORY_WINDOW": "1000"}
    outage = threading.Thread(target=interrupt, args=(cable,))
    with TwoHosts(tmp_path, workers=2, settings=settings, store=FrontServer(tmp_path)) as stack:
        outage.start()
        try:
            outcome = run(stack, sessions=40, turns=6, per_second=20, seed=1, every_seconds=0, faults=Counter())
        finally:
            outage.join()
    assert "store.unavailable" in stack.logs(), "the workers were cut off"
    assert outcome.verdict.is_clean, outcome.verdict
    assert (outcome.turns, outcome.completed) == (240, 240)


def interrupt(cable: Cable) -> None:
    time.sleep(2)  # until turns are running
    cable.unplug()
    time.sleep(OUTAGE_SECONDS)
    cable.plug_in()
