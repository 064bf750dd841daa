"""A client for the keys of one hash slot, whichever node has it."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import redis

from turns.backend.client import Client
from turns.backend.cluster.cluster import Cluster

# They build names of keys that they do not declare, so at the target of a migration they would run on half of the data.
SCRIPTS = frozenset({"EVAL", "EVALSHA"})


class SlotClient(Client):
    """A `Client` each of whose commands goes to the primary of the slot. It has no pipelines of redis-py."""

    def __init__(self, cluster: Cluster, slot: int) -> None:
        # redis-py needs a pool; this one opens no connection, because all commands use the clients of the nodes.
        super().__init__(connection_pool=redis.ConnectionPool())
        self.nodes = cluster
        self.slot = slot

    def execute_command(self, *args: Any, **options: Any) -> Any:
        def send(node: Client) -> Any:
            return node.execute_command(*args, **options)

        return self.nodes.run(self.slot, send, ask=None if args[0] in SCRIPTS else send)

    def execute_many(self, commands: Sequence[Sequence[str | int]], *, transaction: bool = False) -> list[Any]:
        return self.nodes.run(self.slot, lambda node: node.execute_many(commands, transaction=transaction))

    def read_hashes(self, names: Sequence[str], fields: Sequence[str]) -> list[dict[str, str]]:
        return self.nodes.run(self.slot, lambda node: node.read_hashes(names, fields))

    @contextmanager
    def on_one_connection(self) -> Iterator[Client]:
        """Yield a client whose commands share one connection, to the primary that takes the first one."""
        one = _PinnedClient(self.nodes, self.slot)
        try:
            yield one
        finally:
            one.release()

    def new_connection(self) -> Any:
        """Return a connection to the present primary that is not connected yet."""
        return self.nodes.client_of(self.nodes.primary(self.slot)).new_connection()

    def close(self) -> None:
        """Do nothing: `Cluster.close` closes the connections, which all slots share."""


class _PinnedClient(SlotClient):
    """Finds its node with the first command, and sends all later ones over the same connection."""

    def __init__(self, cluster: Cluster, slot: int) -> None:
        super().__init__(cluster, slot)
        self._one: Client | None = None
        self._kept = ExitStack()

    def execute_command(self, *args: Any, **options: Any) -> Any:
        if self._one:
            return self._one.execute_command(*args, **options)
        return self.nodes.run(self.slot, lambda node: self._pin(node, args, options))

    def release(self) -> None:
        self._kept.close()

    def _pin(self, node: Client, args: Any, options: Any) -> Any:
        with ExitStack() as stack:
            one = stack.enter_context(node.on_one_connection())
            reply = one.execute_command(*args, **options)
            self._one, self._kept = one, stack.pop_all()
        return reply
