"""A client of one partition: commands name keys as in a store without partitions."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from turns.backend.client import Client
from turns.backend.partition.names import PartitionNames
from turns.backend.partition.tags import hash_tags


class PartitionClient(Client):
    """Renames the keys of each command and passes it to `inner`, which reaches the node of the partition's slot.

    Pipelines of redis-py are not available: `execute_many` is the only way to send several commands at once.
    """

    def __init__(self, inner: Client, *, count: int, number: int) -> None:
        """`count` is the number of partitions."""
        super().__init__(connection_pool=inner.connection_pool)
        self._inner = inner
        self._count = count
        self.partition_number = self.number = number
        self.names = PartitionNames(hash_tags(count)[number])
        self.declared_keys = self.names.declared

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
            yield PartitionClient(one, count=self._count, number=self.number)

    def new_connection(self) -> Any:
        return self._inner.new_connection()

    def close(self) -> None:
        self._inner.close()
