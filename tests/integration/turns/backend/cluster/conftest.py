"""A cluster of two primaries for the tests of this package; each test begins with no keys and two equal halves."""

from collections.abc import Iterator

import pytest
from redis.crc import key_slot

from tests.support.cluster.nodes import ClusterNodes, Node


@pytest.fixture(scope="package")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterNodes]:
    cluster = ClusterNodes(tmp_path_factory.mktemp("cluster"), primaries=2)
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture
def cluster(nodes: ClusterNodes) -> ClusterNodes:
    for node in nodes.nodes:
        node.raw.flushall()
    return nodes


@pytest.fixture
def slot() -> int:
    """Return the hash slot of all names that contain `{s}`."""
    return int(key_slot(b"{s}"))


@pytest.fixture
def source(cluster: ClusterNodes, slot: int) -> Node:
    return cluster.owner(slot)
