"""A URL of another kind of store than the one that answers stops the start."""

from pathlib import Path

import pytest

from inturn.testing.ports import free_port
from tests.support.cluster.nodes import ClusterNodes, Node
from tests.support.server import NOT_DURABLE, Server
from turns.backend.opening import check_store, connect
from turns.domain.errors import ConfigurationError, StoreUnavailable


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("redis://127.0.0.1:{port}", "is a node of a Redis Cluster; use rediscluster://"),
        ("sentinel://127.0.0.1:{port}/primary", "not a Sentinel; use redis://, or rediscluster://"),
        ("rediscluster://user:s3cret@127.0.0.1:{port}", "rejects the login: .*; correct the user and password"),
    ],
)
def test_a_wrong_url_of_a_cluster_names_the_right_one(cluster: ClusterNodes, url: str, reason: str) -> None:
    check_store(cluster.url)
    with pytest.raises(ConfigurationError, match=f"^REDIS_URL: .*{reason}") as refused:
        check_store(url.format(port=cluster.nodes[0].port))
    assert "s3cret" not in str(refused.value)


def test_a_server_without_cluster_mode_is_named_so(tmp_path: Path) -> None:
    port = free_port()
    server = Server(tmp_path, options=(*NOT_DURABLE, "--port", str(port), "--bind", "127.0.0.1"))
    server.start()
    try:
        with pytest.raises(ConfigurationError, match="not a node of a Redis Cluster; use redis://"):
            check_store(f"rediscluster://127.0.0.1:{port}")
    finally:
        server.stop()


def test_a_cluster_without_slots_is_waited_for(tmp_path: Path) -> None:
    node = Node(tmp_path / "node", *_two_ports(), durable=False)
    node.start()
    url = f"rediscluster://127.0.0.1:{node.port}"
    try:
        check_store(url)
        client = connect(url, timeout_seconds=1, retries=0, max_connections=1)
        for _ in range(2):  # also while the map of slots is not asked for again
            with pytest.raises(StoreUnavailable, match=f"the Redis Cluster at 127.0.0.1:{node.port} has no slots yet"):
                client.ping()
        client.close()
    finally:
        node.stop()
        node.raw.close()


def _two_ports() -> tuple[int, int]:
    return free_port(), free_port()
