"""Leases in the partitions of a Redis Cluster are renewed over connections that gevent does not patch."""

from collections.abc import Callable, Iterator, Sequence

import pytest

from tests.support.cluster.nodes import ClusterNodes
from tests.support.cluster.slot_moves import LegacyMove, other_primary
from turns.backend import keys
from turns.backend.client import Client
from turns.backend.opening import connect
from turns.backend.partition.placement import Partitions
from turns.backend.partition.tags import hash_tags, slot_of
from turns.backend.partition.unpatched_leases import PartitionedLeaseClient
from turns.backend.script_replies import Reply
from turns.config.settings import Settings
from turns.domain.errors import StoreUnavailable
from turns.domain.run.claim import Claim
from turns.domain.state import Status
from turns.domain.turn_request import TurnRequest
from turns.file_history.turn_store import open_turn_store
from turns.store.turns import TurnStore

COUNT = 4
SESSIONS = ("s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7")  # some in each partition


@pytest.fixture
def cluster_settings(cluster: ClusterNodes) -> Settings:
    return Settings(redis_url=f"{cluster.url}?partitions={COUNT}")


@pytest.fixture
def home(cluster_settings: Settings) -> Iterator[Client]:
    with connect(cluster_settings.store_url, timeout_seconds=10, retries=1, max_connections=10) as client:
        yield client


@pytest.fixture
def cluster_store(home: Client, cluster_settings: Settings) -> TurnStore:
    return open_turn_store(home, cluster_settings)


@pytest.fixture
def claims(cluster_store: TurnStore) -> list[Claim]:
    turns = [cluster_store.accept(TurnRequest(session_id=session, input="hello")).turn for session in SESSIONS]
    return [claim for turn in turns if (claim := cluster_store.claim(turn.id, worker="w"))]


@pytest.fixture
def leases(cluster_settings: Settings) -> Iterator[PartitionedLeaseClient]:
    client = PartitionedLeaseClient(cluster_settings)
    yield client
    client.close()


@pytest.fixture
def renewed(leases: PartitionedLeaseClient, claims: list[Claim], home: Client) -> Callable[[], set[str]]:
    """Return a function that renews all leases and returns the turns whose leases end later."""

    def ends(claim: Claim) -> float:
        return float(home.partitions[_partition(claim)].execute_command("ZSCORE", keys.DUE.name, claim.turn_id))

    def renewed() -> set[str]:
        before = {claim.turn_id: ends(claim) for claim in claims}
        assert leases.renew(claims) == []
        return {claim.turn_id for claim in claims if ends(claim) > before[claim.turn_id]}

    return renewed


def test_leases_of_all_partitions_are_renewed(renewed: Callable[[], set[str]], claims: list[Claim]) -> None:
    assert {_partition(claim) for claim in claims} == set(range(COUNT))
    assert renewed() == _ids(claims)


def test_a_lost_lease_is_reported(
    leases: PartitionedLeaseClient, claims: list[Claim], cluster_store: TurnStore
) -> None:
    cluster_store.cancel(claims[0].turn_id)
    assert leases.renew(claims) == [(claims[0].token, Reply.LOST)]


def test_renewal_skips_a_partition_while_it_moves(
    renewed: Callable[[], set[str]], leases: PartitionedLeaseClient, claims: list[Claim], cluster: ClusterNodes
) -> None:
    slot = _slot(claims[0])
    move = LegacyMove(cluster, slot, other_primary(cluster, slot))
    assert renewed() == _ids([claim for claim in claims if _slot(claim) != slot])
    with pytest.raises(StoreUnavailable):
        leases.renew(claims[:1])
    move.finish()
    assert renewed() == _ids(claims)


def test_renewal_skips_a_lost_node(leases: PartitionedLeaseClient, claims: list[Claim], cluster: ClusterNodes) -> None:
    leases.renew(claims)
    silent = cluster.owner(_slot(claims[0]))
    lost = [claim for claim in claims if cluster.owner(_slot(claim)) is silent]
    silent.freeze()
    try:
        assert leases.renew(claims) == []
        with pytest.raises(StoreUnavailable):
            leases.renew(lost)
    finally:
        silent.thaw()


def test_released_turns_are_queued_again(
    leases: PartitionedLeaseClient, claims: list[Claim], cluster_store: TurnStore
) -> None:
    leases.release(claims)
    assert {cluster_store.get_turn(turn_id).status for turn_id in _ids(claims)} == {Status.QUEUED}


def _ids(claims: Sequence[Claim]) -> set[str]:
    return {claim.turn_id for claim in claims}


def _partition(claim: Claim) -> int:
    return Partitions(COUNT).of_turn(claim.turn_id)


def _slot(claim: Claim) -> int:
    return slot_of(f"{{{hash_tags(COUNT)[_partition(claim)]}}}")
