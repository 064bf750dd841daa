"""Nodes of a cluster: start them, join them, kill one, and start it again.

A cluster of one node with all slots is enough for tests of key names: a key in another slot than the declared ones is
an error there too.
"""

import itertools
import signal
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.retry import Retry

from inturn.testing.ports import free_ports
from tests.support.server import DURABLE, NOT_DURABLE, Server
from tests.support.waiting import wait_until

SLOTS = 16384
NODE_TIMEOUT_MS = 2000  # a replica is promoted about a second after this


class Node(Server):
    """A server in cluster mode with a TCP port; `id` is its name in the cluster."""

    def __init__(self, directory: Path, port: int, bus_port: int, *, durable: bool) -> None:
        directory.mkdir()
        self.port = port
        self.bus_port = bus_port
        mode = ("--cluster-enabled", "yes", "--cluster-node-timeout", str(NODE_TIMEOUT_MS))
        # Other partitions are served while one is away, and a replica is promoted however old its data are.
        policy = ("--cluster-require-full-coverage", "no", "--cluster-replica-validity-factor", "0")
        replication = ("--repl-diskless-sync-delay", "0")  # by default a replica waits 5 s for others to join it
        address = ("--port", str(port), "--cluster-port", str(bus_port), "--bind", "127.0.0.1")
        super().__init__(
            directory, options=(*(DURABLE if durable else NOT_DURABLE), *mode, *policy, *replication, *address)
        )
        self.raw = redis.Redis(port=port, socket_timeout=5, retry=Retry(NoBackoff(), 0))

    @property
    def id(self) -> str:
        return str(self.cluster("MYID").decode())

    @property
    def is_primary(self) -> bool:
        return bool(self.raw.info("replication")["role"] == "master")

    def cluster(self, *command: str | int) -> Any:
        return self.raw.execute_command("CLUSTER", *command)

    def knows(self, count: int) -> bool:
        """Return true if the node serves, sees `count` nodes and knows an owner of each slot."""
        info = dict(line.split(":") for line in self.cluster("INFO").decode().split())
        expected = {"cluster_state": "ok", "cluster_known_nodes": str(count), "cluster_slots_ok": str(SLOTS)}
        return expected.items() <= info.items()


class ClusterNodes:
    """A cluster of `primaries`, each with `replicas`; the first `primaries` nodes are the primaries at the start."""

    def __init__(self, directory: Path, *, primaries: int = 1, replicas: int = 0, durable: bool = False) -> None:
        count = primaries * (1 + replicas)
        self._directory, self._durable = directory, durable
        ports = free_ports(2 * count)
        self.nodes = [
            Node(directory / f"node-{number}", port, bus_port, durable=durable)
            for number, (port, bus_port) in enumerate(zip(ports[:count], ports[count:], strict=True))
        ]
        self._primaries = primaries
        self.url = f"rediscluster://{','.join(f'127.0.0.1:{node.port}' for node in self.nodes)}"
        self.raw: Any = self.nodes[0].raw

    @property
    def primaries(self) -> list[Node]:
        return [node for node in self.nodes if node.is_reachable() and node.is_primary]

    def start(self) -> None:
        """Start the nodes and return when each one knows the owner of each slot."""
        for node in self.nodes:
            node.start()
        for number, node in enumerate(self.nodes[: self._primaries]):
            first, last = (SLOTS * place // self._primaries for place in (number, number + 1))
            node.cluster("ADDSLOTSRANGE", first, last - 1)
        # Nodes with the same epoch would first have to agree on another one.
        for epoch, node in enumerate(self.nodes, start=1):
            node.cluster("SET-CONFIG-EPOCH", epoch)
            node.cluster("MEET", "127.0.0.1", self.nodes[0].port, self.nodes[0].bus_port)
        self._wait_until_joined()
        for node, primary in zip(self.nodes[self._primaries :], itertools.cycle(self.nodes[: self._primaries])):
            node.cluster("REPLICATE", primary.id)
        self.wait_for_replicas()

    def add_primary(self) -> Node:
        """Let an empty node join, as `redis-cli --cluster add-node` does, and return it."""
        port, bus_port = free_ports(2)
        node = Node(self._directory / f"node-{len(self.nodes)}", port, bus_port, durable=self._durable)
        self.nodes.append(node)
        node.start()
        node.cluster("MEET", "127.0.0.1", self.nodes[0].port, self.nodes[0].bus_port)
        self._wait_until_joined()
        return node

    def stop(self) -> None:
        self.kill()
        for node in self.nodes:
            node.raw.close()

    def kill(self) -> None:
        for node in self.nodes:
            node.kill()

    def signal(self, number: signal.Signals) -> None:
        for node in self.nodes:
            node.signal(number)

    def owner(self, slot: int) -> Node:
        """Return the primary that serves this slot, as the first reachable node knows it."""
        port = _owner_port(next(node for node in self.nodes if node.is_reachable()), slot)
        return next(node for node in self.nodes if node.port == port)

    def agree_on(self, slot: int, owner: Node) -> bool:
        """Return whether all reachable nodes name this owner of the slot."""
        return all(_owner_port(node, slot) == owner.port for node in self.nodes if node.is_reachable())

    def slot(self, key: str) -> int:
        return int(key_slot(key.encode()))

    def owner_of_key(self, key: str) -> Node:
        return self.owner(self.slot(key))

    def kill_owner(self, slot: int) -> Node:
        """Kill the primary of this slot with SIGKILL and return it."""
        node = self.owner(slot)
        node.kill()
        return node

    def wait_for_new_owner(self, slot: int, old: Node) -> Node:
        """Return the primary of this slot as soon as it is not `old` any more."""
        wait_until("a replica is promoted", lambda: self.owner(slot) is not old, seconds=60)
        return self.owner(slot)

    def wait_for_replicas(self) -> None:
        """Return when all nodes are reachable and each replica is in sync with its primary."""
        wait_until("the replicas are in sync", lambda: all(map(_is_in_sync, self.nodes)), seconds=60)

    def _wait_until_joined(self) -> None:
        count = len(self.nodes)
        wait_until("the nodes know each other", lambda: all(node.knows(count) for node in self.nodes))


def _owner_port(asked: Node, slot: int) -> int | None:
    """Return the port of the primary that serves the slot, as this node knows it; None if it knows none."""
    ranges = asked.cluster("SLOTS")
    return next((int(primary[1]) for first, last, primary, *_ in ranges if first <= slot <= last), None)


def _is_in_sync(node: Node) -> bool:
    """Return true for a primary with a replica, and for a replica that has caught up."""
    replication = node.raw.info("replication")
    return bool(replication["role"] == "master" or replication["master_link_status"] == "up")
