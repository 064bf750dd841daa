"""Connections to the nodes of a Redis Cluster that gevent does not patch, for a real thread."""

import time
from typing import Any

import hiredis

from turns.backend.address import StoreAddress
from turns.backend.cluster.slot_map import Node, SlotMap
from turns.backend.unpatched import UnpatchedConnection
from turns.domain.errors import StoreUnavailable

AWAY_SECONDS = 1.0  # a node that has not answered is not tried again, so that its many slots cost one timeout
ATTEMPTS = 2  # the second one with a new map of slots


class UnpatchedNodes:
    """A connection to each node, opened when needed and after an error. For one thread."""

    def __init__(self, address: StoreAddress, *, timeout_seconds: float) -> None:
        self._address = address
        self._timeout_seconds = timeout_seconds
        self._slots = SlotMap()
        self._connections: dict[Node, UnpatchedConnection] = {}
        self._away_until: dict[Node, float] = {}

    def run_script(self, slot: int, text: str, *keys_and_arguments: str | int) -> Any:
        """Run a script at the primary of the slot. Raises `StoreUnavailable`, also while the slot moves."""
        problem: Exception | None = None
        for _ in range(ATTEMPTS):
            node = self._primary(slot)
            try:
                return self._connect(node).call("EVAL", text, *keys_and_arguments)
            except hiredis.ReplyError as error:
                problem = error
                if not str(error).startswith("MOVED"):
                    break
            except (hiredis.HiredisError, OSError) as error:
                problem = error
                self._give_up(node)
            self._slots = SlotMap()  # is read again
        raise StoreUnavailable(f"this part of the store is not served: {problem}") from problem

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def _primary(self, slot: int) -> Node:
        if not self._slots.all_primaries():
            self._read_map()
        if node := self._slots.primary(slot):
            return node
        raise StoreUnavailable("no node of the cluster serves this part of the store")

    def _read_map(self) -> None:
        for node in {*self._connections, *map(Node._make, self._address.nodes)}:
            try:
                ranges = self._connect(node).call("CLUSTER", "SLOTS")
            except (hiredis.HiredisError, OSError):
                self._give_up(node)
                continue
            return self._slots.replace(ranges, node)
        raise StoreUnavailable("no node of the cluster can be reached")

    def _connect(self, node: Node) -> UnpatchedConnection:
        if self._is_away(node):
            raise ConnectionError("the node has not answered just now")
        if node not in self._connections:
            options = {**self._address.options, **node._asdict()}
            self._connections[node] = UnpatchedConnection(timeout_seconds=self._timeout_seconds, **options)
        return self._connections[node]

    def _give_up(self, node: Node) -> None:
        """Leave a node out for a while. Attempts meanwhile do not prolong it, or frequent ones would never end."""
        if not self._is_away(node):
            self._away_until[node] = time.monotonic() + AWAY_SECONDS
        if connection := self._connections.pop(node, None):
            connection.close()

    def _is_away(self, node: Node) -> bool:
        return time.monotonic() < self._away_until.get(node, 0.0)
