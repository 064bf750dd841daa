"""The faults of a cluster. Each one ends before the next one begins."""

from functools import cached_property

from tests.chaos.nemesis import Nemesis
from tests.support.cluster.nodes import ClusterNodes
from tests.support.cluster.slot_moves import move_atomically, move_legacy, other_primary
from turns.backend.partition.tags import hash_tags, slot_of
from turns.config.store_url import DEFAULT_PARTITIONS


class ClusterNemesis(Nemesis):
    """Chooses a partition for each fault; its stack has a `ClusterNodes` as its store."""

    def kill_primary(self) -> None:
        """Kill the primary of a partition; it returns as a replica of the promoted one."""
        slot = self._choose_slot()
        old = self._cluster.kill_owner(slot)
        self._cluster.wait_for_new_owner(slot, old)
        old.start()
        self._cluster.wait_for_replicas()

    def move_partition(self) -> None:
        """Move a partition key by key, as `redis-cli --cluster reshard` does."""
        slot = self._choose_slot()
        move_legacy(self._cluster, slot, other_primary(self._cluster, slot))

    def move_partition_at_once(self) -> None:
        """Move a partition as a whole, as Valkey 9 does."""
        slot = self._choose_slot()
        move_atomically(self._cluster, slot, other_primary(self._cluster, slot))

    @cached_property
    def _cluster(self) -> ClusterNodes:
        assert isinstance(self._stack.store, ClusterNodes)
        return self._stack.store

    def _choose_slot(self) -> int:
        return slot_of(f"{{{self._random.choice(hash_tags(DEFAULT_PARTITIONS))}}}")
