"""A store of 24 partitions on a cluster of one node."""

from collections.abc import Iterator

import pytest

from tests.support.cluster.nodes import ClusterNodes
from turns.backend.client import Client
from turns.backend.opening import connect
from turns.config.settings import Settings
from turns.store.partitioned.sessions import PartitionedSessionStore
from turns.store.partitioned.turns import PartitionedTurnStore


@pytest.fixture(scope="package")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterNodes]:
    cluster = ClusterNodes(tmp_path_factory.mktemp("cluster"))
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture
def settings(cluster: ClusterNodes) -> Settings:
    cluster.raw.flushall()
    return Settings(redis_url=cluster.url)


@pytest.fixture
def client(settings: Settings) -> Iterator[Client]:
    with connect(settings.store_url, timeout_seconds=5, retries=0, max_connections=30) as client:
        yield client


@pytest.fixture
def store(client: Client, settings: Settings, cluster: ClusterNodes) -> Iterator[PartitionedTurnStore]:
    yield PartitionedTurnStore(client, settings)
    declared = [name for one in client.partitions for name in one.declared_keys]
    assert not set(declared) & {name.decode() for name in cluster.raw.keys("*")}


@pytest.fixture
def sessions(client: Client, settings: Settings) -> PartitionedSessionStore:
    return PartitionedSessionStore(client, settings)
