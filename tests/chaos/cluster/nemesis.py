"""The faults of a cluster. Each one ends before the next one begins."""

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import count
from uuid import uuid4

from tests.chaos.nemesis import Nemesis
from tests.support.cluster.nodes import ClusterNodes, Node
from tests.support.cluster.slot_moves import move_atomically, move_legacy, other_primary
from tests.support.processes import call
from turns.backend.partition.placement import Partitions
from turns.backend.partition.tags import hash_tags, slot_of
from turns.config.store_url import DEFAULT_PARTITIONS

MESSAGES = [{"role": "user", "content": "hello"}]


class ClusterNemesis(Nemesis):
    """Chooses a partition for each fault; its stack has a `ClusterNodes` as its store."""

    def kill_primary(self) -> None:
        """Kill the primary of a partition; it returns as a replica of the promoted one."""
        slot = self._choose_slot()
        old = self._cluster.kill_owner(slot)
        with self._write_elsewhere(old):
            self._cluster.wait_for_new_owner(slot, old)
        old.start()
        self._cluster.wait_for_replicas()

    @contextmanager
    def _write_elsewhere(self, killed: Node) -> Iterator[None]:
        """Write to sessions of the other nodes, and note how long each call takes; a refused one takes for ever."""
        sessions = (f"elsewhere-{uuid4().hex}" for _ in count())
        served = (session for session in sessions if self._owner(session) is not killed)
        is_over = threading.Event()

        def write() -> None:
            while not is_over.is_set():
                url = f"{self._stack.url}/v1/sessions/{next(served)}/messages"
                began_at = time.monotonic()
                try:
                    is_served = call(url, method="PUT", body={"messages": MESSAGES}).status < 300
                except OSError:  # the endpoint was killed too
                    is_served = False
                self.served_elsewhere.append(time.monotonic() - began_at if is_served else math.inf)

        thread = threading.Thread(target=write)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()

    def _owner(self, session: str) -> Node:
        tag = hash_tags(DEFAULT_PARTITIONS)[Partitions(DEFAULT_PARTITIONS).of_session(session)]
        return self._cluster.owner(slot_of(f"{{{tag}}}"))

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
