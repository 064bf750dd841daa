"""The subscriptions of one process to the channels of all partitions.

Each partition has a connection to the node that has it now. So a partition that moves, or whose node is away, has a
gap in its own messages alone, and finds its new node without the others.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import MappingProxyType
from typing import Any

import redis

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.partition.placement import Partitions
from turns.backend.partition.tags import HOME
from turns.backend.pubsub import Subscription, Subscriptions
from turns.domain.errors import StoreUnavailable
from turns.domain.turn import Turn

# A plain channel would be sent to all nodes of the cluster; a sharded one stays at the node of its slot.
PLAIN_KINDS: Mapping[bytes, bytes] = MappingProxyType({b"smessage": b"message", b"ssubscribe": b"subscribe"})


class PartitionedSubscriptions(Subscriptions):
    """Takes the client of the home partition, which knows those of all partitions."""

    def __init__(self, client: Client, partitions: Partitions) -> None:
        super().__init__(client)
        self._partitions = partitions
        self._each = [_PartitionSubscriptions(one) for one in client.partitions]

    def start(self) -> None:
        for one in self._each:
            one.start()

    def stop(self) -> None:
        for one in self._each:
            one.stop()

    @contextmanager
    def watch_turn(self, turn: Turn) -> Iterator[Subscription]:
        with self._each[self._partitions.of_session(turn.session)].watch_turn(turn) as subscription:
            yield subscription

    @contextmanager
    def watch_session(self, session: str) -> Iterator[Subscription]:
        with self._each[self._partitions.of_session(session)].watch_session(session) as subscription:
            yield subscription

    def connections(self, worker: str) -> Iterator[str | None]:
        return self._each[HOME].connections(worker)

    def resync(self) -> None:
        for one in self._each:
            one.resync()

    @contextmanager
    def _subscribe(self, channel: str, *, prefix: bytes = b"") -> Iterator[Subscription]:
        """Subscribe to this channel of all partitions."""
        subscription = Subscription(prefix)
        with ExitStack() as stack:
            for one in self._each:
                stack.enter_context(one.join(channel, subscription))
            yield subscription


class _PartitionSubscriptions(Subscriptions):
    """The subscriptions to the channels of one partition, which are sharded."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self._ended: Counter[str] = Counter()  # channels of which the server has not confirmed our SUNSUBSCRIBE yet,
        self._ended_on: Any = None  # over this connection

    @contextmanager
    def join(self, channel: str, subscription: Subscription) -> Iterator[None]:
        """Send the messages of this channel to this subscription too."""
        with self._lock:
            self._add(channel, subscription)
        try:
            yield
        finally:
            with self._lock:
                self._remove(channel, subscription)

    def _add(self, channel: str, subscription: Subscription) -> None:
        super()._add(self._client.stored_name(channel), subscription)

    def _remove(self, channel: str, subscription: Subscription) -> None:
        super()._remove(self._client.stored_name(channel), subscription)

    def _send(self, *command: str) -> None:
        verb, *channels = command
        if self._ended_on is not self._connection:
            self._ended_on, self._ended = self._connection, Counter()
        if verb == "UNSUBSCRIBE":
            self._ended.update(channels)
        super()._send(verb if verb == "PING" else f"S{verb}", *channels)

    def _connect(self) -> Any:
        try:
            self._client.execute_command("LLEN", keys.HINTS.name)  # follows MOVED, so that the owner is connected to
        except StoreUnavailable as error:
            raise redis.ConnectionError(str(error)) from error
        return super()._connect()

    def _distribute(self, reply: Any) -> None:
        """Raise redis-py's `ConnectionError` if the partition has moved, so that its new node is connected to."""
        if isinstance(reply, list):
            kind, channel, *rest = reply
            if kind == b"sunsubscribe":
                self._check_end(channel.decode())
            reply = [PLAIN_KINDS.get(kind, kind), channel, *rest]
        super()._distribute(reply)

    def _check_end(self, channel: str) -> None:
        """Raise if the server has ended a subscription by itself."""
        with self._lock:
            if not self._ended[channel]:
                raise redis.ConnectionError("the partition has moved to another node")
            self._ended[channel] -= 1
