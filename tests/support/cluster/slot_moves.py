"""Moves of a hash slot from its primary to another one, in the two ways that servers offer."""

from contextlib import suppress

import redis

from tests.support.cluster.nodes import ClusterNodes, Node
from tests.support.waiting import wait_until

KEYS_AT_ONCE = 10  # as many as `redis-cli --cluster reshard` takes
MIGRATE_MS = 5000


class LegacyMove:
    """A move key by key, as `redis-cli --cluster reshard` does it; until `finish` the slot is on two nodes."""

    def __init__(self, cluster: ClusterNodes, slot: int, target: Node) -> None:
        """Begin the move; all keys are still on the source."""
        self._cluster = cluster
        self._slot = slot
        self.source = cluster.owner(slot)
        self.target = target
        target.cluster("SETSLOT", slot, "IMPORTING", self.source.id)
        self.source.cluster("SETSLOT", slot, "MIGRATING", target.id)

    def move_keys(self, *keys: str | bytes) -> None:
        """Move these keys, or those that exist of them."""
        self.source.raw.execute_command(
            *("MIGRATE", "127.0.0.1", self.target.port, "", 0, MIGRATE_MS, "REPLACE", "KEYS", *keys)
        )

    def finish(self) -> None:
        """Move the remaining keys and make the target the owner of the slot."""
        while keys := self.source.cluster("GETKEYSINSLOT", self._slot, KEYS_AT_ONCE):
            self.move_keys(*keys)
        self.target.cluster("SETSLOT", self._slot, "NODE", self.target.id)
        wait_until("all nodes know the new owner", self._is_known)

    def _is_known(self) -> bool:
        """Name the new owner to all nodes, until none of them names another one that it has heard of meanwhile."""
        for node in self._cluster.nodes:
            with suppress(redis.RedisError):  # replicas refuse it, and learn it from their primary
                node.cluster("SETSLOT", self._slot, "NODE", self.target.id)
        return self._cluster.agree_on(self._slot, self.target)


def move_legacy(cluster: ClusterNodes, slot: int, target: Node) -> None:
    """Move a slot with all its keys, key by key."""
    LegacyMove(cluster, slot, target).finish()


def move_atomically(cluster: ClusterNodes, slot: int, target: Node) -> None:
    """Move a slot as a whole, as Valkey 9 does on `CLUSTER MIGRATESLOTS`."""
    source = cluster.owner(slot)
    source.cluster("MIGRATESLOTS", "SLOTSRANGE", slot, slot, "NODE", target.id)
    wait_until("the slot has moved", lambda: cluster.agree_on(slot, target))


def other_primary(cluster: ClusterNodes, slot: int) -> Node:
    """Return a primary that does not own this slot."""
    owner = cluster.owner(slot)
    return next(node for node in cluster.primaries if node is not owner)
