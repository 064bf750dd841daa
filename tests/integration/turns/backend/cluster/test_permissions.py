"""The users of `deploy/redis.acl` may do on the nodes of a cluster what its clients need."""

from collections.abc import Iterator

import pytest

from tests.support.cluster.nodes import ClusterNodes
from tests.support.cluster.slot_moves import LegacyMove, other_primary
from tools import ROOT
from turns.backend import keys
from turns.backend.client import Client
from turns.backend.cluster.list_reader import ListReader
from turns.backend.opening import connect
from turns.backend.partition.placement import Partitions
from turns.backend.partition.subscriptions import PartitionedSubscriptions
from turns.domain.errors import StoreUnavailable

COUNT = 4
RULES = [
    line.split()[1:] for line in (ROOT / "deploy" / "redis.acl").read_text().splitlines() if "inturn-" in line[:13]
]


@pytest.fixture(params=["web", "worker"])
def role(request: pytest.FixtureRequest, cluster: ClusterNodes) -> Iterator[str]:
    """Add the user of this role to all nodes."""
    [(user, *rules)] = [line for line in RULES if line[0] == f"inturn-{request.param}"]
    for node in cluster.nodes:
        node.raw.execute_command("ACL", "SETUSER", user, *rules)
    yield request.param
    for node in cluster.nodes:
        node.raw.execute_command("ACL", "DELUSER", user)


@pytest.fixture
def client(cluster: ClusterNodes, role: str) -> Iterator[Client]:
    with _connect(cluster, f"inturn-{role}:change-me-{role}") as client:
        yield client


def test_each_role_reaches_all_partitions(client: Client) -> None:
    for partition in client.partitions:
        reader = ListReader(partition, keys.HINTS.name)
        reader.put_back(b"hint")
        assert reader.pop(seconds=1) == b"hint"
        reader.close()


def test_each_role_follows_a_moving_partition(client: Client, cluster: ClusterNodes) -> None:
    partition = client.partitions[1]
    name = partition.stored_name(keys.HINTS.name)
    partition.execute_command("RPUSH", keys.HINTS.name, "hint")
    slot = cluster.slot(name)
    move = LegacyMove(cluster, slot, other_primary(cluster, slot))
    move.move_keys(name)
    assert partition.execute_command("LLEN", keys.HINTS.name) == 1
    move.finish()
    assert partition.execute_command("LLEN", keys.HINTS.name) == 1


def test_each_role_subscribes_to_all_partitions(client: Client) -> None:
    subscriptions = PartitionedSubscriptions(client, Partitions(COUNT))
    subscriptions.start()
    ended = subscriptions.ended_turns()
    assert [next(ended) for _ in range(COUNT)] == [None] * COUNT
    subscriptions.stop()


def test_a_wrong_password_is_named_as_the_cause(cluster: ClusterNodes, role: str) -> None:
    with _connect(cluster, f"inturn-{role}:wrong") as client, pytest.raises(StoreUnavailable) as refusal:
        client.execute_command("LLEN", keys.HINTS.name)
    assert "invalid username-password pair" in str(refusal.value.__cause__)


def _connect(cluster: ClusterNodes, login: str) -> Client:
    url = f"{cluster.url.replace('//', f'//{login}@')}?partitions={COUNT}"
    return connect(url, timeout_seconds=5, retries=0, max_connections=5)
