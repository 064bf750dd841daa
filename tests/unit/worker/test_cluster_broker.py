"""The parts of kombu that our transport uses: a release that changes one fails here, under the name of that part.

`tests/integration/worker/test_cluster_broker.py` drives the same transport with real readers.
"""

import inspect
import json
import queue
from collections import deque
from typing import Any

import kombu
import pytest
from celery import Celery
from kombu.transport import virtual
from kombu.transport.virtual import base

from turns.config.settings import Settings
from worker.broker import build_celery
from worker.cluster_broker import POP_SECONDS, ClusterHintTransport, HintChannel

QUEUE = "hints"
HINT = {
    "body": json.dumps("a turn"),
    "content-encoding": "utf-8",
    "content-type": "application/json",
    "headers": {"task": "run_turn"},
    "properties": {"delivery_tag": "tag", "delivery_info": {"exchange": "", "routing_key": QUEUE}},
}
SIGNATURES = {
    "Channel.drain_events": "(self, timeout=None, callback=None)",
    "Channel._new_queue": "(self, queue, **kwargs)",
    "Channel._has_queue": "(self, queue, **kwargs)",
    "Channel._size": "(self, queue)",
    "Transport.drain_events": "(self, connection, timeout=None)",
    "Transport._deliver": "(self, message, queue)",
    "Transport.driver_version": "(self)",
}


class Readers:
    """Has the hints of a test, and records for how many seconds each was awaited."""

    def __init__(self) -> None:
        self.hints: deque[Any] = deque()
        self.awaited: list[float] = []

    def take(self, *, seconds: float) -> bytes:
        self.awaited.append(seconds)
        if not self.hints:
            raise queue.Empty
        return json.dumps(self.hints.popleft()).encode()


@pytest.fixture
def readers() -> Readers:
    return Readers()


@pytest.fixture
def app(readers: Any) -> Celery:
    return build_celery(Settings(), QUEUE, readers)


@pytest.fixture
def connection(app: Celery) -> Any:
    """Return the connection that a worker would open."""
    return app.connection_for_read()


class Consumer:
    """A consumer as Celery's worker has one."""

    def __init__(self, app: Celery, connection: Any, *, slots: int = 100) -> None:
        self.received: list[Any] = []
        self._connection = connection
        self.channel = connection.default_channel
        self.channel.basic_qos(0, slots, False)
        queues = list(app.amqp.queues.values())
        self.inner = kombu.Consumer(self.channel, queues, on_message=self.received.append, accept=["json"])
        self.inner.consume()

    def poll(self, seconds: float | None = 0.01) -> None:
        self._connection.drain_events(timeout=seconds)


@pytest.mark.parametrize("name", SIGNATURES)
def test_kombu_has_this_signature(name: str) -> None:
    kind, method = name.split(".")
    found = inspect.signature(getattr(getattr(virtual, kind), method))
    assert str(found.replace(return_annotation=inspect.Signature.empty)) == SIGNATURES[name]


def test_no_other_part_of_kombu_is_replaced() -> None:
    """A name that a release adds must not be one that our classes happen to use."""
    assert _replaced(HintChannel, virtual.Channel) == {"do_restore", "_new_queue", "_has_queue", "_size"}
    transport = {"Channel", "driver_type", "driver_name", "driver_version", "polling_interval"}
    assert _replaced(ClusterHintTransport, virtual.Transport) == transport


def test_the_name_of_the_broker_leads_to_the_transport(connection: Any, readers: Readers) -> None:
    assert connection.transport.client.transport_options["readers"] is readers
    assert connection.default_channel.connection is connection.transport
    assert type(connection.default_channel) is HintChannel
    assert type(connection.transport) is ClusterHintTransport


def test_celery_polls_it_without_an_event_loop(connection: Any) -> None:
    assert not connection.is_evented
    assert not connection.supports_heartbeats


def test_declaring_a_queue_and_consuming_takes_no_hint(app: Celery, connection: Any, readers: Readers) -> None:
    readers.hints.append(HINT)
    Consumer(app, connection)
    assert readers.awaited == []


def test_a_poll_takes_a_hint_within_its_own_timeout(app: Celery, connection: Any, readers: Readers) -> None:
    consumer = Consumer(app, connection)
    with pytest.raises(TimeoutError):
        consumer.poll(0.01)
    assert {*readers.awaited} == {0.01}
    readers.hints.append(HINT)
    consumer.poll(None)
    assert readers.awaited[-1] == POP_SECONDS


def test_a_hint_is_delivered_as_it_was_written(app: Celery, connection: Any, readers: Readers) -> None:
    consumer = Consumer(app, connection)
    readers.hints.append(HINT)
    consumer.poll()
    [message] = consumer.received
    assert (message.payload, message.headers, message.delivery_tag) == ("a turn", HINT["headers"], "tag")


def test_a_full_consumer_takes_no_hint_before_it_acknowledges(
    app: Celery, connection: Any, readers: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(base, "sleep", pauses.append)
    consumer = Consumer(app, connection, slots=1)
    readers.hints.extend([HINT, HINT])
    consumer.poll()
    with pytest.raises(TimeoutError):
        consumer.poll(0.05)
    assert len(readers.hints) == 1
    assert {*pauses} == {ClusterHintTransport.polling_interval}
    consumer.received[0].ack()
    consumer.poll()
    assert len(consumer.received) == 2


def test_a_cancelled_consumer_takes_no_hint(app: Celery, connection: Any, readers: Readers) -> None:
    consumer = Consumer(app, connection)
    consumer.inner.cancel()
    readers.hints.append(HINT)
    with pytest.raises(TimeoutError):
        consumer.poll()
    assert len(readers.hints) == 1


def test_a_closed_connection_puts_no_hint_back(
    app: Celery, connection: Any, readers: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its turn may be running, and a rescuer sends another hint for one that is not."""
    restored: list[Any] = []
    monkeypatch.setattr(HintChannel, "_put", lambda *_, **__: restored.append(_), raising=False)
    consumer = Consumer(app, connection)
    readers.hints.append(HINT)
    consumer.poll()
    connection.close()
    assert consumer.channel.closed
    assert restored == []


def test_a_connection_can_be_opened_again(app: Celery, connection: Any, readers: Readers) -> None:
    Consumer(app, connection)
    connection.close()
    connection.connect()
    consumer = Consumer(app, connection)
    readers.hints.append(HINT)
    consumer.poll()
    assert len(consumer.received) == 1


def _replaced(own: type, inherited: type) -> set[str]:
    return {name for name in vars(own) if not name.startswith("__") and hasattr(inherited, name)}
