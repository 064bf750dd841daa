"""Test how workers notice that the connection of another worker has closed."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from tests.support.server import Server
from tests.support.waiting import wait_until
from turns.backend import keys
from turns.backend.script_replies import Reply
from turns.domain.turn_request import TurnRequest
from turns.store.turns import TurnStore


class Workers:
    """Workers as the store sees them: each is a subscription on a separate connection."""

    def __init__(self, server: Server, store: TurnStore) -> None:
        self._server = server
        self._store = store
        self._connections: dict[str, Any] = {}

    def connect(self, name: str) -> None:
        connection = redis.Redis.from_url(self._server.url).pubsub()  # type: ignore[no-untyped-call]  # untyped in redis-py
        connection.subscribe(keys.CONNECTION(name))
        assert connection.get_message(timeout=60), "the subscription is confirmed"
        self._connections[name] = connection

    def register(self, *names: str) -> None:
        for name in names:
            self.connect(name)
            self._store.register_worker(name, model="m", again=False)

    def kill(self, name: str) -> None:
        """Close the connection as the kernel does for a killed process."""
        self._connections.pop(name).close()
        channel = keys.CONNECTION(name)
        wait_until("the store has noticed", lambda: self._server.raw.pubsub_numsub(channel)[0][1] == 0)

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()


@pytest.fixture
def workers(server: Server, store: TurnStore) -> Iterator[Workers]:
    workers = Workers(server, store)
    yield workers
    workers.close()


def test_a_worker_whose_connection_closed_is_found(store: TurnStore, workers: Workers) -> None:
    workers.register("a", "b", "c")
    assert store.find_vanished("a") == (3, frozenset())
    workers.kill("b")
    assert store.find_vanished("a") == (3, frozenset({"b"}))


def test_a_worker_that_left_is_not_found(store: TurnStore, workers: Workers) -> None:
    workers.register("a", "b")
    store.remove_worker("b")
    workers.kill("b")
    assert store.find_vanished("a") == (1, frozenset())


def test_a_worker_without_a_subscription_finds_none(store: TurnStore, workers: Workers) -> None:
    """After a restart of the store no worker has one."""
    workers.register("a", "b")
    workers.kill("b")
    workers.kill("a")
    assert store.find_vanished("a") == (2, frozenset())


def test_without_registered_workers_none_is_found(store: TurnStore) -> None:
    assert store.find_vanished("a") == (0, frozenset())


def test_a_vanished_worker_is_removed_by_one_worker(server: Server, store: TurnStore, workers: Workers) -> None:
    workers.register("a", "b")
    store.rescue(worker="b", hint="")
    workers.kill("b")
    assert store.remove_vanished("b")
    assert not store.remove_vanished("b")
    assert store.find_vanished("a") == (1, frozenset())
    assert server.raw.zscore(keys.WORKERS.name, "b") is None
    assert store.read_metrics().counters["vanished"] == {(): 1}


def test_a_worker_that_is_subscribed_again_stays(store: TurnStore, workers: Workers) -> None:
    workers.register("a", "b")
    workers.kill("b")
    workers.connect("b")
    assert not store.remove_vanished("b")
    assert store.find_vanished("a") == (2, frozenset())


def test_a_removed_worker_that_returns_is_a_false_alarm(store: TurnStore, workers: Workers) -> None:
    workers.register("a", "b")
    workers.kill("b")
    store.remove_vanished("b")
    workers.connect("b")
    for _ in range(2):
        store.register_worker("b", model="m", again=True)
    assert store.read_metrics().counters["returned"] == {(): 1}
    assert store.find_vanished("a") == (2, frozenset())


def test_a_reconnection_alone_is_no_false_alarm(store: TurnStore, workers: Workers) -> None:
    workers.register("a")
    workers.kill("a")
    workers.connect("a")
    store.register_worker("a", model="m", again=True)
    assert store.read_metrics().counters["returned"] == {}


def test_a_worker_learns_of_others_with_another_model(store: TurnStore) -> None:
    assert store.register_worker("a", model="gpt", again=False) == set()
    assert store.register_worker("b", model="llama", again=False) == {"gpt"}
    assert store.register_worker("a", model="gpt", again=True) == {"llama"}
    store.remove_worker("b")
    assert store.register_worker("c", model="gpt", again=False) == set()


def test_the_model_of_a_vanished_worker_is_forgotten(store: TurnStore, server: Server, workers: Workers) -> None:
    workers.register("a", "b")
    workers.kill("b")
    assert store.remove_vanished("b")
    assert store.register_worker("a", model="other", again=True) == set()
    assert server.raw.hgetall(keys.WORKER_MODELS.name) == {b"a": b"other"}


def test_a_takeover_that_broke_off_is_continued(store: TurnStore, server: Server, workers: Workers) -> None:
    turns = [store.accept(TurnRequest(session_id=f"s{n}", input="x")).turn for n in range(2)]
    assert all(store.claim(turn.id, worker="b", model="m") for turn in turns)
    workers.register("a", "b", "c")
    workers.kill("b")
    assert store.begin_takeover("b")
    assert not store.begin_takeover("b"), "one worker at a time"
    assert store._worker_scripts.rescue_worker("b", [turns[0].id], is_forced=False) == [(turns[0].id, Reply.RESCUED)]
    assert server.raw.ttl(keys.TAKEOVER("b")) in {1, 2}
    server.raw.delete(keys.TAKEOVER("b"))  # the time has passed, because the worker that took over has died
    assert store.find_vanished("c")[1] == {"b"}
    assert store.begin_takeover("b")
    assert store.rescue_worker("b") == [(turns[1].id, Reply.RESCUED)]
    assert store.remove_vanished("b")


def test_a_worker_that_is_subscribed_again_keeps_its_turns(store: TurnStore, workers: Workers) -> None:
    turn = store.accept(TurnRequest(session_id="s", input="x")).turn
    assert store.claim(turn.id, worker="b", model="m")
    workers.register("b")
    assert store.rescue_worker("b") == []
