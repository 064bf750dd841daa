"""Test when a worker takes over the turns of another one, and when it doubts what it sees."""

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from tests.support.waiting import wait_until
from tests.unit.worker.run.stand_ins import FakeClock
from turns.backend.script_replies import Reply
from turns.domain.errors import StoreUnavailable
from worker.run.worker_watch import SETTLE_SECONDS, WorkerWatch


class Store:
    """A store in which the subscriptions of `vanished` workers have ended; with `replies`, first others have."""

    def __init__(self) -> None:
        self.workers = 2
        self.vanished: set[str] = set()
        self.replies: list[set[str]] = []
        self.is_taken_by_another = False
        self.removed: list[str] = []
        self.is_available = True
        self.checks = 0
        self.registered: list[bool] = []
        self.other_models: set[str] = set()
        self.taken: list[str] = []

    def register_worker(self, worker: str, *, model: str, again: bool) -> set[str]:
        if not self.is_available:
            raise StoreUnavailable("gone")
        self.registered.append(again)
        return self.other_models

    def find_vanished(self, worker: str) -> tuple[int, frozenset[str]]:
        self.checks += 1
        return self.workers, frozenset(self.replies.pop(0) if self.replies else self.vanished)

    def begin_takeover(self, worker: str) -> bool:
        return not self.is_taken_by_another

    def rescue_worker(self, worker: str) -> list[tuple[str, Reply]]:
        assert worker not in self.removed, "no worker would take over the rest if this one died now"
        self.taken.append(worker)
        return [("turn", Reply.RESCUED)]

    def remove_vanished(self, worker: str) -> bool:
        self.vanished.discard(worker)
        self.removed.append(worker)
        return True


class Fixture:
    def __init__(self) -> None:
        self.store = Store()
        self.clock = FakeClock()
        self.began_at = self.clock.now
        self.connections: list[None] = []
        self.watch = WorkerWatch(
            self.store,  # type: ignore[arg-type]  # a stand-in
            "me",
            model="gpt",
            connections=lambda: iter(self.connections),
            clock=self.clock,
            sleep=self.clock.sleep,
        )

    def run(self, seconds: float) -> None:
        """Make all checks of this time."""
        until = self.clock.now + seconds
        while self.clock.now < until:
            self.watch.check()
            self.clock.sleep(self.watch.interval_seconds())


@pytest.fixture
def fixture() -> Fixture:
    return Fixture()


def test_a_vanished_worker_is_taken_over_within_a_second(fixture: Fixture) -> None:
    fixture.run(3.1)
    fixture.store.vanished = {"other"}
    with capture_logs() as logs:
        fixture.run(1)
    assert fixture.store.taken == ["other"]
    assert [(log["event"], log["worker"], log["turns"]) for log in logs] == [("worker.vanished", "other", 1)]


def test_a_worker_that_reconnects_is_left_alone(fixture: Fixture) -> None:
    fixture.store.replies = [{"other"}, {"other"}, set()] * 3
    fixture.run(10)
    assert fixture.store.taken == []


def test_only_workers_that_stay_away_are_taken_over(fixture: Fixture) -> None:
    fixture.store.replies = [{"a", "b"}, {"b", "c"}, {"b", "c"}]
    fixture.run(0.1)
    assert fixture.store.taken == ["b"]


def test_another_worker_may_be_faster(fixture: Fixture) -> None:
    fixture.store.vanished, fixture.store.is_taken_by_another = {"other"}, True
    fixture.run(5)
    assert fixture.store.taken == fixture.store.removed == []
    fixture.store.is_taken_by_another = False  # it has died
    fixture.run(1)
    assert fixture.store.taken == fixture.store.removed == ["other"]


def test_after_a_reconnection_the_others_get_time(fixture: Fixture) -> None:
    fixture.watch.connected()
    fixture.run(1)
    fixture.store.vanished = {"other"}
    fixture.watch.connected()
    fixture.run(SETTLE_SECONDS - 1)
    assert fixture.store.taken == []
    fixture.run(2)
    assert fixture.store.taken == ["other"]


def test_a_new_worker_takes_over_at_once(fixture: Fixture) -> None:
    fixture.store.vanished = {"before"}
    fixture.watch.connected()
    fixture.run(0.1)
    assert fixture.store.taken == ["before"]


def test_each_connection_is_registered_even_after_an_outage(fixture: Fixture) -> None:
    fixture.store.is_available = False
    fixture.watch.connected()
    with pytest.raises(StoreUnavailable):
        fixture.watch.check()
    fixture.store.is_available = True
    fixture.run(1)
    fixture.watch.connected()
    fixture.run(1)
    assert fixture.store.registered == [False, True]


def test_another_default_model_is_logged(fixture: Fixture) -> None:
    fixture.store.other_models = {"llama"}
    with capture_logs() as logs:
        fixture.watch.connected()
    assert [(log["event"], log["model"], log["others"]) for log in logs] == [("workers.differ", "gpt", ["llama"])]


@pytest.mark.parametrize(("workers", "least", "most"), [(1, 30, 41), (2, 15, 21), (10, 4, 6), (1000, 4, 6)])
def test_more_workers_check_less_often_each(fixture: Fixture, workers: int, least: int, most: int) -> None:
    fixture.store.workers = workers
    fixture.run(10)
    assert least <= fixture.store.checks <= most


def test_an_error_of_a_registration_ends_no_subscription(fixture: Fixture, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(fixture.store, "register_worker", lambda *_, **__: 1 / 0)
        fixture.watch.connected()
        with pytest.raises(ZeroDivisionError):
            fixture.watch.check()
    fixture.watch.check()
    assert fixture.store.registered == [False]


def test_the_subscription_is_followed_until_the_end(fixture: Fixture) -> None:
    def subscribe() -> Iterator[None]:
        yield None
        yield None

    watch = WorkerWatch(fixture.store, "me", model="gpt", connections=subscribe)  # type: ignore[arg-type]  # a stand-in
    watch.start()
    wait_until("it is registered", lambda: fixture.store.registered)
    watch.stop()
