"""A killed primary makes its own slots wait until a replica is promoted, and no others."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis.crc import key_slot

from tests.support.cluster.nodes import ClusterNodes
from turns.backend.address import StoreAddress
from turns.backend.cluster.cluster import Cluster
from turns.backend.cluster.slot_client import SlotClient
from turns.domain.errors import StoreUnavailable

KEY = "{s}"
OTHERS = ("{a}", "{b}", "{c}", "{d}", "{e}", "{f}")


@pytest.fixture
def replicated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterNodes]:
    cluster = ClusterNodes(tmp_path_factory.mktemp("replicated"), primaries=3, replicas=1)
    cluster.start()
    yield cluster
    cluster.stop()


def test_a_killed_primary_delays_its_own_slots_alone(replicated: ClusterNodes) -> None:
    impatient, patient = (_connect(replicated, retries) for retries in (0, 1))
    mine, waiting = _client(impatient, KEY), _client(patient, KEY)
    waiting.set(KEY, "kept")
    waiting.wait(1, 5000)
    old = replicated.kill_owner(mine.slot)
    others = [_client(impatient, key) for key in OTHERS if replicated.owner_of_key(key) is not old]
    with ThreadPoolExecutor() as threads:
        reply = threads.submit(waiting.get, KEY)
        with pytest.raises(StoreUnavailable, match="cannot be reached"):
            mine.get(KEY)
        with mine.on_one_connection() as one, pytest.raises(StoreUnavailable, match="cannot be reached"):
            one.get(KEY)
        # No replica is promoted before the node timeout, so these are served while the partition is away.
        assert [client.ping() for client in others] == [True] * len(others)
        assert not reply.done()
        assert reply.result(timeout=60) == b"kept"
    new = replicated.owner(mine.slot)
    assert new is not old
    assert mine.get(KEY) == b"kept"
    old.start()  # it comes back as a replica of the new primary
    assert mine.set(KEY, "new")
    assert new.raw.get(KEY) == b"new"
    impatient.close()
    patient.close()


def _connect(cluster: ClusterNodes, retries: int) -> Cluster:
    seeds = tuple(("127.0.0.1", node.port) for node in cluster.nodes)
    return Cluster(StoreAddress(options={}, nodes=seeds), timeout_seconds=60, retries=retries, max_connections=5)


def _client(cluster: Cluster, key: str) -> SlotClient:
    return SlotClient(cluster, int(key_slot(key.encode())))
