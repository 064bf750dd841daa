"""A worker on a Redis Cluster of one primary and one replica gets the hint of each turn, and loses none.

No lost hint is replaced in the time of these tests, so a turn whose hint is lost does not start.
"""

from collections.abc import Iterator

import pytest

from tests.support.cluster.nodes import ClusterNodes, Node
from tests.support.processes import Stack
from tests.support.waiting import wait_until
from turns.backend import keys
from turns.backend.partition.names import PartitionNames
from turns.backend.partition.tags import hash_tags
from turns.config.store_url import DEFAULT_PARTITIONS

SESSIONS = [f"s{n}" for n in range(12)]
SETTINGS = {"INTURN_CONCURRENCY": "1", "INTURN_HINT_GRACE_SECONDS": "600"}
LISTS = [PartitionNames(tag).stored(keys.HINTS.name) for tag in hash_tags(DEFAULT_PARTITIONS)]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> ClusterNodes:
    return ClusterNodes(tmp_path_factory.mktemp("cluster"), replicas=1)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, cluster: ClusterNodes) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("stack"), workers=1, store=cluster, settings=SETTINGS) as stack:
        yield stack


def test_a_drained_worker_leaves_all_hints_in_their_lists(stack: Stack, cluster: ClusterNodes) -> None:
    running = stack.submit("running", "runs meanwhile [gate go]")
    stack.wait_until_running(running)
    waiting = [stack.submit(session, "hello") for session in SESSIONS]
    stack.workers[0].terminate()
    stack.open_gate("go")
    assert stack.workers[0].stop() == 0
    assert stack.turn(running)["status"] == "completed"
    hints = b"".join(hint for name in LISTS for hint in cluster.raw.lrange(name, 0, -1)).decode()
    assert [turn for turn in waiting if turn not in hints] == []
    stack.workers = [stack.start_worker()]
    assert {stack.wait_until_finished(turn)["status"] for turn in waiting} == {"completed"}


def test_readers_open_lost_connections_again(stack: Stack, cluster: ClusterNodes) -> None:
    [node] = cluster.primaries
    _wait_for_readers(node)
    node.raw.client_kill_filter(_type="normal", skipme=True)
    _run_turns(stack)


def test_readers_follow_a_fail_over(stack: Stack, cluster: ClusterNodes) -> None:
    [primary] = cluster.primaries
    [replica] = [node for node in cluster.nodes if node is not primary]
    _wait_for_readers(primary)
    primary.kill()
    replica.cluster("FAILOVER", "TAKEOVER")  # its only primary is dead, so no other node can vote for it
    _wait_for_readers(replica)
    _run_turns(stack)


def _wait_for_readers(node: Node) -> None:
    """Wait until the worker waits for the list of each partition."""
    wait_until("all readers wait", lambda: node.raw.info("clients")["blocked_clients"] == len(LISTS), seconds=60)


def _run_turns(stack: Stack) -> None:
    turns = [stack.submit(session, "hello") for session in SESSIONS]
    assert {stack.wait_until_finished(turn)["status"] for turn in turns} == {"completed"}
