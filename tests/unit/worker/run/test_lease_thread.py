"""Test the renewal thread: it renews what runs, stops what is lost, and survives an unavailable store."""

import threading
from collections.abc import Callable, Sequence

import gevent
import pytest
from structlog.testing import capture_logs

from tests.unit.worker.run.stand_ins import FakeClock, FakeStore, make_claim
from turns.backend.script_replies import Reply
from turns.config.settings import Pool, Settings
from turns.domain.errors import LeaseLost, StoreUnavailable
from worker.run.active_runs import ActiveRuns
from worker.run.interrupt import interrupter
from worker.run.lease_thread import RETRY_SECONDS, LeaseRenewalThread


class Fixture:
    """A thread that ends after a number of sleeps, each of which takes no time."""

    def __init__(self) -> None:
        self.client = FakeStore()
        self.runs = ActiveRuns(self.client, interrupter(Pool.THREADS), clock=FakeClock())  # type: ignore[arg-type]  # a stand-in
        self.slept: list[float] = []
        self._done = threading.Event()

    def run(self, *, sleeps: int) -> None:
        def sleep(seconds: float) -> None:
            self.slept.append(seconds)
            if len(self.slept) == sleeps:
                thread.stop()
                self._done.set()

        thread = LeaseRenewalThread(self.runs, self.client, every_seconds=2.0, sleep=sleep)  # type: ignore[arg-type]  # a stand-in
        thread.start()
        assert self._done.wait(10)


@pytest.fixture
def fixture() -> Fixture:
    return Fixture()


def run_hub_until(holds: Callable[[], object]) -> None:
    with gevent.Timeout(10):
        while not holds():
            gevent.sleep(0.001)


def test_the_leases_of_all_runs_are_renewed_again_and_again(fixture: Fixture) -> None:
    first, second = make_claim(), make_claim()
    with fixture.runs.hold(first, Settings()), fixture.runs.hold(second, Settings()):
        fixture.run(sleeps=3)
    assert fixture.client.calls == [("renew", (first.turn_id, second.turn_id))] * 3
    assert fixture.slept == [2.0] * 3


def test_without_runs_the_store_is_not_called(fixture: Fixture) -> None:
    fixture.run(sleeps=2)
    assert fixture.client.calls == []


def test_a_lost_lease_stops_its_run_in_the_thread_of_the_hub(fixture: Fixture, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = make_claim()
    fixture.client.replies["renew"] = [[(claim.token, Reply.LOST)]]
    threads: list[int] = []
    stop_runs = fixture.runs.stop_runs

    def observed(outcomes: Sequence[tuple[str, Reply]]) -> None:
        threads.append(threading.get_ident())
        stop_runs(outcomes)

    monkeypatch.setattr(fixture.runs, "stop_runs", observed)
    with fixture.runs.hold(claim, Settings()) as run:
        fixture.run(sleeps=1)
        run_hub_until(lambda: run.stop_reason)
        assert isinstance(run.stop_reason, LeaseLost)
    assert threads == [threading.get_ident()]


def test_an_unavailable_store_is_logged_and_tried_again_soon(fixture: Fixture) -> None:
    fixture.client.errors["renew"] = [StoreUnavailable("gone"), StoreUnavailable("gone")]
    with fixture.runs.hold(make_claim(), Settings()) as run, capture_logs() as logs:
        fixture.run(sleeps=3)
        run_hub_until(lambda: len(logs) == 2)
        assert run.stop_reason is None
    assert fixture.slept == [RETRY_SECONDS, RETRY_SECONDS, 2.0]
    assert {(log["event"], log["error"]) for log in logs} == {("store.unavailable", "gone")}


def test_a_run_whose_time_is_over_is_not_renewed(fixture: Fixture) -> None:
    clock = FakeClock()
    fixture.runs = ActiveRuns(fixture.client, interrupter(Pool.THREADS), clock=clock)  # type: ignore[arg-type]  # a stand-in
    with fixture.runs.hold(make_claim(), Settings(total_seconds=1)):
        clock.now += 1000
        fixture.run(sleeps=1)
    assert fixture.client.calls == []
