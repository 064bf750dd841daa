"""kombu's consumer receives the hints of all partitions of a Redis Cluster, and puts back what it cannot take."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import kombu
import pytest
from structlog.testing import capture_logs

from tests.support.cluster.nodes import ClusterNodes
from tests.support.cluster.slot_moves import move_atomically, move_legacy, other_primary
from tests.support.waiting import wait_until
from turns.backend import keys
from turns.backend.client import Client
from turns.backend.opening import connect
from turns.backend.partition.tags import hash_tags, slot_of
from worker.cluster_broker import ClusterHintTransport, HintReaders

PARTITIONS = 4
QUEUE = keys.HINTS.name
MESSAGE = {
    "content-encoding": "utf-8",
    "content-type": "application/json",
    "headers": {},
    "properties": {"delivery_info": {"exchange": "", "routing_key": QUEUE}},
}


@pytest.fixture
def clients(cluster: ClusterNodes) -> Iterator[Sequence[Client]]:
    """Connect a client of each partition; the lists of hints are empty."""
    with connect(f"{cluster.url}?partitions={PARTITIONS}", timeout_seconds=10, retries=1, max_connections=10) as home:
        yield home.partitions


class Worker:
    """A consumer as Celery has one: it acknowledges a message when its task begins."""

    def __init__(self, clients: Sequence[Client], slots: int) -> None:
        self.readers = HintReaders(clients, QUEUE)
        self.received: list[Any] = []
        self._connection = kombu.Connection(transport=ClusterHintTransport, transport_options={"readers": self.readers})
        channel: Any = self._connection.channel()
        channel.basic_qos(0, slots, False)
        kombu.Consumer(channel, [kombu.Queue(QUEUE)], on_message=self.received.append, accept=["json"]).consume()
        self.readers.start()

    def receive(self, *texts: str) -> None:
        """Read messages until these have come, in any order, and no others."""
        self.received.clear()
        wait_until(f"{texts} have come", lambda: self.poll() and len(self.received) >= len(texts))
        assert sorted(message.payload for message in self.received) == sorted(texts)

    def poll(self) -> bool:
        with suppress(TimeoutError):
            self._connection.drain_events(timeout=0.1)
        return True


@pytest.fixture
def worker(clients: Sequence[Client]) -> Iterator[Worker]:
    worker = Worker(clients, slots=100)
    yield worker
    worker.readers.stop()


@pytest.fixture
def busy_worker(clients: Sequence[Client]) -> Iterator[Worker]:
    """Start a worker whose only slot is taken."""
    worker = Worker(clients, slots=1)
    _push(clients[0], "running")
    worker.receive("running")
    yield worker
    worker.readers.stop()


def test_a_worker_receives_the_hints_of_all_partitions(worker: Worker, clients: Sequence[Client]) -> None:
    for number, client in enumerate(clients):
        _push(client, f"in {number}")
    worker.receive("in 0", "in 1", "in 2", "in 3")


def test_a_hint_without_a_free_slot_is_put_back(busy_worker: Worker, clients: Sequence[Client]) -> None:
    _push(clients[1], "later")
    for _ in range(3):
        busy_worker.poll()
    wait_until("it is in its list", lambda: _count(clients[1]) == 1)
    assert len(busy_worker.received) == 1
    busy_worker.received[0].ack()
    busy_worker.receive("later")


def test_a_stopped_reader_leaves_the_hints(worker: Worker, clients: Sequence[Client], cluster: ClusterNodes) -> None:
    _wait_for_readers(worker, cluster)
    worker.readers.drain()
    for client in clients:
        _push(client, "for others")
    worker.readers.stop()
    assert [_count(client) for client in clients] == [1] * PARTITIONS
    assert worker.received == []


def test_what_celery_cannot_read_is_skipped(worker: Worker, clients: Sequence[Client]) -> None:
    client = clients[2]
    with capture_logs() as logs:
        for text in ("", "x", "[]", "null", "{}"):
            client.execute_command("LPUSH", QUEUE, text)
        wait_until("all are read", lambda: worker.poll() and len(logs) == 5)
    assert {log["event"] for log in logs} == {"hint.skipped"}
    _push(client, "good")
    worker.receive("good")


@pytest.mark.parametrize("move", [move_legacy, move_atomically])
def test_readers_follow_a_moved_partition(
    worker: Worker, clients: Sequence[Client], cluster: ClusterNodes, move: Any
) -> None:
    _wait_for_readers(worker, cluster)
    slot = _slots()[3]
    move(cluster, slot, other_primary(cluster, slot))
    _push(clients[3], "moved")
    worker.receive("moved")


def test_a_silent_node_delays_no_other_partition(
    worker: Worker, clients: Sequence[Client], cluster: ClusterNodes
) -> None:
    silent = cluster.owner(_slots()[0])
    served = [client for client, slot in zip(clients, _slots(), strict=True) if cluster.owner(slot) is not silent]
    silent.freeze()
    try:
        for number, client in enumerate(served):
            _push(client, f"served {number}")
        worker.receive(*(f"served {number}" for number in range(len(served))))
    finally:
        silent.thaw()


def _wait_for_readers(worker: Worker, cluster: ClusterNodes) -> None:
    """Poll until each reader waits for a hint."""

    def are_waiting() -> bool:
        waiting = sum(node.raw.info("clients")["blocked_clients"] for node in cluster.nodes)
        return worker.poll() and waiting == PARTITIONS

    wait_until("all readers wait", are_waiting)


def _slots() -> list[int]:
    return [slot_of(f"{{{tag}}}") for tag in hash_tags(PARTITIONS)]


def _push(client: Client, text: str) -> None:
    message = {**MESSAGE, "body": json.dumps(text)}
    message["properties"] = {**MESSAGE["properties"], "delivery_tag": text}  # type: ignore[dict-item]  # a dict of dicts
    client.execute_command("LPUSH", QUEUE, json.dumps(message))


def _count(client: Client) -> int:
    return int(client.execute_command("LLEN", QUEUE))
