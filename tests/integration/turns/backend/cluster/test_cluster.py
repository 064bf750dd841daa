"""Commands find the node of their slot: on a cluster at rest, while a slot moves, and when a node is away."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from redis.crc import key_slot
from redis.exceptions import ResponseError

from inturn.testing.ports import free_port
from tests.support.cluster.nodes import ClusterNodes, Node
from tests.support.cluster.slot_moves import LegacyMove, move_atomically, move_legacy, other_primary
from turns.backend.address import StoreAddress
from turns.backend.cluster.cluster import Cluster
from turns.backend.cluster.slot_client import SlotClient
from turns.domain.errors import StoreUnavailable

DECLARED = ("inturn:{s}:", "inturn:{s}:-")
COUNT = "return redis.call('INCR', KEYS[1] .. 'count')"

Connect = Callable[..., SlotClient]


@pytest.fixture
def connect(cluster: ClusterNodes) -> Iterator[Connect]:
    """Return a function that opens a client for the slot of a key."""
    opened: list[Cluster] = []

    def connect(key: str = "{s}", *, retries: int = 0, ports: list[int] | None = None) -> SlotClient:
        seeds = tuple(("127.0.0.1", port) for port in ports or [cluster.nodes[0].port])
        address = StoreAddress(options={}, nodes=seeds)
        opened.append(Cluster(address, timeout_seconds=20, retries=retries, max_connections=5))
        return SlotClient(opened[-1], int(key_slot(key.encode())))

    yield connect
    for one in opened:
        one.close()


@pytest.fixture
def half_moved(cluster: ClusterNodes, source: Node, slot: int) -> Iterator[LegacyMove]:
    """Begin a move, after which `{s}moved` is on the target and `{s}stays` on the source."""
    source.raw.mset({"{s}moved": 1, "{s}stays": 2})
    move = LegacyMove(cluster, slot, other_primary(cluster, slot))
    move.move_keys("{s}moved")
    yield move
    move.finish()


def test_each_command_goes_to_the_node_of_its_slot(connect: Connect, cluster: ClusterNodes) -> None:
    for name in ("{a}", "{b}", "{c}", "{d}", "{e}"):
        connect(name).set(name, "here")
        assert cluster.owner_of_key(name).raw.get(name) == b"here"
    assert all(node.raw.dbsize() for node in cluster.nodes)


def test_several_commands_go_to_the_node_together(connect: Connect, source: Node) -> None:
    client = connect()
    assert client.execute_many([("SET", "{s}1", 1), ("HSET", "{s}2", "a", "b")], transaction=True) == [True, 1]
    assert client.read_hashes(["{s}1", "{s}2", "{s}3"], ["a"]) == [{}, {"a": "b"}, {}]
    assert source.raw.get("{s}1") == b"1"


def test_a_move_is_followed_at_once(connect: Connect, cluster: ClusterNodes, slot: int) -> None:
    client = connect()
    client.set("{s}", "moved")
    target = other_primary(cluster, slot)
    move_legacy(cluster, slot, target)
    assert client.get("{s}") == b"moved"
    assert client.nodes.primary(slot).port == target.port


def test_an_atomic_move_is_followed_at_once(connect: Connect, cluster: ClusterNodes, slot: int) -> None:
    client = connect()
    client.set("{s}", "moved")
    move_atomically(cluster, slot, other_primary(cluster, slot))
    assert client.execute_many([("GET", "{s}")]) == [b"moved"]


def test_a_single_key_is_found_in_a_half_moved_slot(connect: Connect, half_moved: LegacyMove) -> None:
    client = connect()
    assert (client.get("{s}moved"), client.get("{s}stays")) == (b"1", b"2")
    client.set("{s}new", "3")
    assert (half_moved.source.raw.dbsize(), half_moved.target.raw.dbsize()) == (1, 2)


def test_a_script_writes_nothing_in_a_half_moved_slot(connect: Connect, half_moved: LegacyMove) -> None:
    with pytest.raises(StoreUnavailable, match="moved"):
        connect().eval(COUNT, 2, *DECLARED)
    half_moved.finish()
    assert half_moved.target.raw.dbsize() == 2


def test_a_script_waits_for_the_end_of_a_move(connect: Connect, half_moved: LegacyMove) -> None:
    client = connect(retries=1)
    with ThreadPoolExecutor() as threads:
        reply = threads.submit(client.eval, COUNT, 2, *DECLARED)
        half_moved.finish()
        assert reply.result(timeout=20) == 1
    assert half_moved.target.raw.get("inturn:{s}:count") == b"1"


def test_several_commands_wait_for_the_end_of_a_move(connect: Connect, half_moved: LegacyMove) -> None:
    commands = [("GET", "{s}moved"), ("GET", "{s}stays")]
    with pytest.raises(StoreUnavailable):
        connect().execute_many(commands)
    half_moved.finish()
    assert connect(retries=1).execute_many(commands) == [b"1", b"2"]


def test_a_pinned_connection_finds_its_node_first(connect: Connect, cluster: ClusterNodes, slot: int) -> None:
    client = connect()
    client.ping()
    move_legacy(cluster, slot, other_primary(cluster, slot))
    with client.on_one_connection() as one:
        first: Any = one.set("{s}", "1"), one.client_id()
        assert first == (True, one.client_id())
        assert one.wait(0, 100) == 0


def test_an_unreachable_start_node_is_passed_over(connect: Connect, cluster: ClusterNodes) -> None:
    assert connect(ports=[free_port(), cluster.nodes[1].port]).ping()
    with pytest.raises(StoreUnavailable, match=r"the Redis Cluster at .* cannot be reached"):
        connect(ports=[free_port()]).ping()


def test_an_error_of_a_command_is_raised_at_once(connect: Connect) -> None:
    with pytest.raises(ResponseError, match="hash to the same slot"):
        connect(retries=1).execute_command("MGET", "{s}", "{other}")


def test_a_full_node_refuses_at_once(connect: Connect, source: Node) -> None:
    source.raw.config_set("maxmemory", 1)
    try:
        with pytest.raises(StoreUnavailable) as refusal:
            connect(retries=1).set("{s}", "more")
    finally:
        source.raw.config_set("maxmemory", 0)
    assert refusal.value.refused


def test_a_new_connection_leads_to_the_present_primary(connect: Connect, cluster: ClusterNodes, slot: int) -> None:
    connection = connect().new_connection()
    assert connection.port == cluster.owner(slot).port
