"""A partition that has lost its data is noticed by the processes that saw it before."""

from tests.support.cluster.nodes import ClusterNodes
from turns.backend.partition.tags import hash_tags
from turns.processes.reporter import Reporter
from turns.store.partitioned.turns import PartitionedTurnStore

PARTITIONS = 24


def test_an_emptied_partition_is_noticed_by_each_process(store: PartitionedTurnStore, cluster: ClusterNodes) -> None:
    web, worker = Reporter(store, "web", "web"), Reporter(store, "w", "loop")
    for _ in range(2):
        web.report()
        worker.report()
    assert (web.replaced_at, worker.replaced_at) == ({}, {})
    _empty(cluster, 17)
    for _ in range(2):
        web.report()
        worker.report()
    assert web.replaced_at == worker.replaced_at
    assert list(web.replaced_at) == [17]
    late = Reporter(store, "late", "web")
    late.report()
    assert late.replaced_at == {}


def test_a_full_partition_without_an_id_is_not_away(store: PartitionedTurnStore, cluster: ClusterNodes) -> None:
    web = Reporter(store, "web", "web")
    web.report()
    _empty(cluster, 17)
    cluster.raw.config_set("maxmemory", 1)
    try:
        web.report()
    finally:
        cluster.raw.config_set("maxmemory", 0)
    assert web.replaced_at == {}
    assert store.read_health().partitions_away == 0
    web.report()
    assert list(web.replaced_at) == [17]


def _empty(cluster: ClusterNodes, number: int) -> None:
    names = cluster.raw.keys(f"inturn:{{{hash_tags(PARTITIONS)[number]}}}:*")
    assert names
    for name in names:
        cluster.raw.unlink(name)
