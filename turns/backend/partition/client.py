"""A client of one partition: commands name keys as in a store without partitions."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from turns.backend.client import Client
from turns.backend.partition.names import PartitionNames
from turns.backend.partition.tags import HOME, hash_tags


class PartitionClient(Client):
    """Renames the keys of each command and passes it to `inner`, which reaches the node of the partition's slot.

    Pipelines of redis-py are not available: `execute_many` is the only way to send several commands at once.
    """

    def __init__(self, inner: Client, *, count: int, number: int, close: Callable[[], None] = lambda: None) -> None:
        """`count` is the number of partitions; `close` is called once this client is closed."""
        super().__init__(connection_pool=inner.connection_pool)
        self._inner = inner
        self._count = count
        self._close = close
        self.partition_number = self._number = number
        self.names = PartitionNames(hash_tags(count)[number])
        self.declared_keys = self.names.declared
        self.siblings: Sequence[Client] = (self,)

    @property
    def partitions(self) -> Sequence[Client]:
        return self.siblings

    def execute_command(self, *args: Any, **options: Any) -> Any:
        reply = self._inner.execute_command(*self.names.rename(args), **options)
        if args[0] == "SCAN":
            cursor, found = reply
            return cursor, [self.names.plain(name.decode()).encode() for name in found]
        return reply

    def execute_many(self, commands: Sequence[Sequence[str | int]], *, transaction: bool = False) -> list[Any]:
        return self._inner.execute_many([self.names.rename(command) for command in commands], transaction=transaction)

    def read_hashes(self, names: Sequence[str], fields: Sequence[str]) -> list[dict[str, str]]:
        return self._inner.read_hashes([self.names.stored(name) for name in names], fields)

    def stored_name(self, name: str) -> str:
        return self.names.stored(name)

    def pipeline(self, *args: Any, **options: Any) -> Any:
        raise NotImplementedError("use execute_many: a pipeline would not rename its keys")

    @contextmanager
    def on_one_connection(self) -> Iterator[Client]:
        with self._inner.on_one_connection() as one:
            yield PartitionClient(one, count=self._count, number=self._number)

    def new_connection(self) -> Any:
        return self._inner.new_connection()

    def close(self) -> None:
        self._inner.close()
        self._close()


def open_partitions(client_for: Callable[[str], Client], count: int, close: Callable[[], None]) -> PartitionClient:
    """Return the client of the home partition, which has those of all partitions in `partitions`.

    `client_for` returns the client of the slot in which a key is; `close` is called when the home client is closed.
    """
    clients = [
        PartitionClient(
            client_for(PartitionNames(tag).prefix),
            count=count,
            number=number,
            close=close if number == HOME else lambda: None,
        )
        for number, tag in enumerate(hash_tags(count))
    ]
    for client in clients:
        client.siblings = clients
    return clients[HOME]
