"""The slot of the tests in this package."""

import pytest
from redis.crc import key_slot

from tests.support.cluster.nodes import ClusterNodes, Node


@pytest.fixture
def slot() -> int:
    """Return the hash slot of all names that contain `{s}`."""
    return int(key_slot(b"{s}"))


@pytest.fixture
def source(cluster: ClusterNodes, slot: int) -> Node:
    return cluster.owner(slot)
