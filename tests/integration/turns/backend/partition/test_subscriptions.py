"""Subscriptions over all partitions of a Redis Cluster: each follows its own partition."""

from collections.abc import Callable, Iterator

import pytest

from tests.support.cluster.nodes import ClusterNodes, Node
from tests.support.cluster.slot_moves import move_atomically, move_legacy, other_primary
from turns.backend import keys
from turns.backend.client import Client
from turns.backend.opening import connect
from turns.backend.partition.placement import Partitions
from turns.backend.partition.subscriptions import PartitionedSubscriptions
from turns.backend.partition.tags import hash_tags, slot_of

COUNT = 4
SESSIONS = ("s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7")

Publish = Callable[..., None]
Move = Callable[[ClusterNodes, int, Node], None]


@pytest.fixture
def home(cluster: ClusterNodes) -> Iterator[Client]:
    with connect(f"{cluster.url}?partitions={COUNT}", timeout_seconds=10, retries=1, max_connections=10) as client:
        yield client


@pytest.fixture
def subscriptions(home: Client) -> Iterator[PartitionedSubscriptions]:
    subscriptions = PartitionedSubscriptions(home, Partitions(COUNT))
    subscriptions.start()
    yield subscriptions
    subscriptions.stop()


@pytest.fixture
def publish(home: Client, cluster: ClusterNodes) -> Publish:
    """Return a function that publishes as the scripts do."""

    def publish(partition: int, channel: str, message: str) -> None:
        name = home.partitions[partition].stored_name(channel)
        assert cluster.owner_of_key(name).raw.execute_command("SPUBLISH", name, message) == 1

    return publish


def test_ended_turns_of_all_partitions_arrive(subscriptions: PartitionedSubscriptions, publish: Publish) -> None:
    ended = subscriptions.ended_turns()
    assert [next(ended) for _ in range(COUNT)] == [None] * COUNT
    for partition in range(COUNT):
        publish(partition, keys.ENDED.name, f"turn_{partition}")
    assert {next(ended) for _ in range(COUNT)} == {f"turn_{partition}" for partition in range(COUNT)}


def test_each_session_has_the_channel_of_its_partition(
    subscriptions: PartitionedSubscriptions, publish: Publish
) -> None:
    assert {_partition(session) for session in SESSIONS} == set(range(COUNT))
    for session in SESSIONS:
        with subscriptions.watch_session(session) as subscription:
            assert subscription.get(seconds=60) is None
            publish(_partition(session), keys.LIVE(session), session)
            assert subscription.get(seconds=60) == session.encode()


@pytest.mark.parametrize("move", [move_legacy, move_atomically])
def test_a_moved_partition_has_a_gap_and_goes_on(
    subscriptions: PartitionedSubscriptions, publish: Publish, cluster: ClusterNodes, move: Move
) -> None:
    slot = slot_of(f"{{{hash_tags(COUNT)[_partition('s0')]}}}")
    with subscriptions.watch_session("s0") as subscription:
        assert subscription.get(seconds=60) is None
        move(cluster, slot, other_primary(cluster, slot))
        assert subscription.get(seconds=60) is None
        publish(_partition("s0"), keys.LIVE("s0"), "after the move")
        assert subscription.get(seconds=60) == b"after the move"


def test_a_lost_connection_is_a_gap_of_its_partition_alone(
    subscriptions: PartitionedSubscriptions, publish: Publish, cluster: ClusterNodes, home: Client
) -> None:
    lost = "s0"
    owner = _owner(cluster, home, lost)
    kept = next(session for session in SESSIONS if _owner(cluster, home, session) is not owner)
    with subscriptions.watch_session(lost) as cut, subscriptions.watch_session(kept) as other:
        assert (cut.get(seconds=60), other.get(seconds=60)) == (None, None)
        owner.raw.client_kill_filter(_type="pubsub")
        assert cut.get(seconds=60) is None
        for session, subscription in ((lost, cut), (kept, other)):
            publish(_partition(session), keys.LIVE(session), session)
            assert subscription.get(seconds=60) == session.encode()


def test_readers_that_come_and_go_cause_no_gap(subscriptions: PartitionedSubscriptions, publish: Publish) -> None:
    partition = _partition("s0")
    neighbour = next(session for session in SESSIONS if session != "s0" and _partition(session) == partition)
    with subscriptions.watch_session("s0") as subscription:
        assert subscription.get(seconds=60) is None
        for _ in range(20):
            with subscriptions.watch_session(neighbour):
                pass
        with subscriptions.watch_session(neighbour) as last:
            assert last.get(seconds=60) is None
            publish(partition, keys.LIVE(neighbour), "for the neighbour")
            publish(partition, keys.LIVE("s0"), "for s0")
            assert subscription.get(seconds=60) == b"for s0"


def _partition(session: str) -> int:
    return Partitions(COUNT).of_session(session)


def _owner(cluster: ClusterNodes, home: Client, session: str) -> Node:
    return cluster.owner_of_key(home.partitions[_partition(session)].stored_name(keys.LIVE(session)))
