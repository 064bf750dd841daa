"""The primary of each hash slot, as a node of the cluster has reported it."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from redis.crc import REDIS_CLUSTER_HASH_SLOTS
from redis.exceptions import AskError


class Node(NamedTuple):
    """The address of a node."""

    host: str
    port: int


class SlotMap:
    """Empty at first. Each change replaces or sets one list item, so that readers need no lock."""

    def __init__(self) -> None:
        self._primaries: list[Node | None] = [None] * REDIS_CLUSTER_HASH_SLOTS

    def primary(self, slot: int) -> Node | None:
        """Return the primary of a slot; None if no node serves it, or before the first `replace`."""
        return self._primaries[slot]

    def all_primaries(self) -> set[Node]:
        return {node for node in self._primaries if node}

    def assign(self, slot: int, node: Node) -> None:
        self._primaries[slot] = node

    def replace(self, ranges: Iterable[Sequence[Any]], reporter: Node) -> None:
        """Take the reply of this node to CLUSTER SLOTS: first slot, last slot, primary, replicas."""
        primaries: list[Node | None] = [None] * REDIS_CLUSTER_HASH_SLOTS
        for first, last, (host, port, *_), *_ in ranges:
            node = Node(_to_host(host) or reporter.host, int(port))
            primaries[first : last + 1] = [node] * (last + 1 - first)
        self._primaries = primaries


def redirection(error: AskError, sender: Node) -> Node:
    """Return the node that MOVED or ASK names; a server that does not know its host names only the port."""
    return Node(_to_host(error.host) or sender.host, int(error.port))


def _to_host(name: bytes | str | None) -> str | None:
    """Return the host; None where the server says that it is the one of the connection."""
    host = name.decode() if isinstance(name, bytes) else name
    return None if host in {"", "?", None} else host
