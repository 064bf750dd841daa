"""A Redis Cluster as one store: a client for each node, and the rules by which a command finds the node of its slot.

redis-py's `RedisCluster` is not used: it follows ASK for scripts too, which loses writes while a slot moves. See
docs/decisions/0073-route-commands-by-slot-ourselves.md.
"""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from redis.exceptions import AskError, MovedError, ResponseError, TryAgainError

from turns.backend.address import StoreAddress
from turns.backend.client import Client, connect_to
from turns.backend.cluster.slot_map import Node, SlotMap, redirection
from turns.domain.errors import StoreUnavailable

REFRESH_SECONDS = 0.2  # minimum time between two requests for the map of slots
REFRESH_TIMEOUT_SECONDS = 0.5  # for each node that is asked, so that a silent one delays the others little
RETRY_SECONDS = 0.05
MAX_RETRY_SECONDS = 0.5  # reached by doubling while a node is away, because many callers may wait for it
MAX_REDIRECTS = 3  # followed at once; nodes that disagree about a slot would send a client in circles

Reply = TypeVar("Reply")
Work = Callable[[Client], Reply]


class _OwnerChanged(Exception):
    """Another node than the one that was asked is now known as the primary of the slot."""


class _NoSlots(Exception):
    """A node answers, and no node serves a slot, as before `redis-cli --cluster create`."""


class Cluster:
    """Connects with its first command. All methods can be called from several threads."""

    def __init__(
        self,
        address: StoreAddress,
        *,
        timeout_seconds: float,
        retries: int,
        max_connections: int,
        pool_timeout_seconds: float | None = None,
    ) -> None:
        """Take the arguments of `connect`; the limits of connections hold for each node.

        With `retries`, a command for a slot that no node serves is repeated for `timeout_seconds`.
        """
        self._address = address
        self._connect = partial(
            connect_to,
            timeout_seconds=timeout_seconds,
            retries=0,  # `run` repeats a command, because another node may serve the slot by then
            max_connections=max_connections,
            pool_timeout_seconds=pool_timeout_seconds,
        )
        self._patience_seconds = timeout_seconds if retries else 0.0
        self._slots = SlotMap()
        self._clients: dict[Node, Client] = {}
        self._clients_lock = threading.Lock()
        self._refresh_lock = threading.Lock()
        self._refreshed_at = float("-inf")
        self._problem: Exception | None = None  # of the last request for the map

    def run(self, slot: int, work: Work[Reply], *, ask: Work[Reply] | None = None) -> Reply:
        """Call `work` with the client of the slot's primary; again after an error that may pass.

        `ask` is called with one connection to the target of a migration, after ASKING; None: wait for its end.
        Raises `StoreUnavailable` when the patience ends.
        """
        deadline = time.monotonic() + self._patience_seconds
        redirects, delay = 0, RETRY_SECONDS
        while True:
            try:
                return self._try(slot, work, ask)
            except _OwnerChanged as error:
                redirects += 1
                if redirects <= MAX_REDIRECTS:
                    continue
                reason = _unavailable("the nodes disagree about its owner", error)
            except (AskError, TryAgainError) as error:
                reason = _unavailable("it is being moved", error)
            except StoreUnavailable as error:
                if error.refused:  # waiting would not help soon, as with full memory
                    raise
                reason, delay = error, min(2 * delay, MAX_RETRY_SECONDS)
            if time.monotonic() + delay > deadline:
                raise reason
            time.sleep(delay)

    def primary(self, slot: int) -> Node:
        """Return the primary of a slot. Raises `StoreUnavailable` if no node serves it."""
        if self._slots.primary(slot) is None:
            self.refresh()
        if found := self._slots.primary(slot):
            return found
        raise StoreUnavailable("no node of the cluster serves this part of the store")

    def primaries(self) -> list[Node]:
        """Return all primaries. Raises `StoreUnavailable` if no node can be reached."""
        if not (found := self._slots.all_primaries()):
            self.refresh()
            found = self._slots.all_primaries()
        return sorted(found)

    def client_of(self, node: Node) -> Client:
        with self._clients_lock:
            if node not in self._clients:
                self._clients[node] = self._connect(self._address_of(node))
            return self._clients[node]

    def assign(self, slot: int, error: MovedError, sender: Node) -> None:
        """Take the owner of a slot from a redirection."""
        self._slots.assign(slot, redirection(error, sender))

    def refresh(self, *, avoid: Node | None = None) -> None:
        """Read the map of slots from any node, rather not from `avoid`. A map younger than `REFRESH_SECONDS` stays.

        Raises `StoreUnavailable` if there is no map yet and no node can be reached.
        """
        with self._refresh_lock:
            if time.monotonic() - self._refreshed_at < REFRESH_SECONDS:
                problem = self._problem
            else:
                problem = self._problem = self._read_map(avoid)
                self._refreshed_at = time.monotonic()
        if problem and not self._slots.all_primaries():
            hosts = ", ".join(f"{host}:{port}" for host, port in self._address.nodes)
            reason = "has no slots yet" if isinstance(problem, _NoSlots) else "cannot be reached"
            raise StoreUnavailable(f"the Redis Cluster at {hosts} {reason}") from problem

    def close(self) -> None:
        with self._clients_lock:
            for client in self._clients.values():
                client.connection_pool.disconnect()
            self._clients.clear()

    def _try(self, slot: int, work: Work[Reply], ask: Work[Reply] | None) -> Reply:
        node = self.primary(slot)
        try:
            return work(self.client_of(node))
        except MovedError as error:
            self.assign(slot, error, node)
            raise _OwnerChanged from error
        except AskError as error:
            if ask is None:
                raise
            with self.client_of(redirection(error, node)).on_one_connection() as target:
                target.execute_command("ASKING")
                return ask(target)
        except StoreUnavailable as error:
            if error.refused:
                raise
            self.refresh(avoid=node)
            if self._slots.primary(slot) not in {node, None}:
                raise _OwnerChanged from error
            raise

    def _read_map(self, avoid: Node | None) -> Exception | None:
        """Replace the map; return the last problem if no node has one."""
        nodes = list({*self._slots.all_primaries(), *map(Node._make, self._address.nodes)} - {avoid})
        random.shuffle(nodes)  # a node that is cut off from the others would report the same old map again and again
        problem: Exception | None = None
        for node in [*nodes, *([avoid] if avoid else [])]:
            try:
                ranges = self._read_ranges(node)
            except (StoreUnavailable, ResponseError) as error:
                problem = error
                continue
            if ranges:
                self._slots.replace(ranges, node)
                self._forget_clients()
                return None
            problem = _NoSlots()
        return problem

    def _read_ranges(self, node: Node) -> Any:
        address = self._address_of(node)
        client = connect_to(address, timeout_seconds=REFRESH_TIMEOUT_SECONDS, retries=0, max_connections=1)
        try:
            return client.execute_command("CLUSTER", "SLOTS")
        finally:
            client.connection_pool.disconnect()

    def _forget_clients(self) -> None:
        """Close the clients of nodes that serve no slot any more; in Kubernetes a restarted node has a new address.

        Connections in use stay open: redis-py is not made for a connection that another thread closes.
        """
        with self._clients_lock:
            for node in self._clients.keys() - self._slots.all_primaries():
                self._clients.pop(node).connection_pool.disconnect(inuse_connections=False)

    def _address_of(self, node: Node) -> StoreAddress:
        return replace(self._address, nodes=(), options={**self._address.options, **node._asdict()})


def _unavailable(problem: str, cause: Exception) -> StoreUnavailable:
    error = StoreUnavailable(f"this part of the store is not served: {problem}")
    error.__cause__ = cause
    return error
