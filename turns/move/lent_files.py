"""The loans of uploaded files in a move: to the partitions of turns and sessions that hold a file of another one."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.keys import Key
from turns.backend.partition.placement import Partitions
from turns.move.reading import Command

MOVED = "moved"  # token of all loans of a move; the cluster was empty, so that no other loan had it before
CHECKED_AT = 0  # the next sweep checks what is moved


class LentFiles:
    """Composes the loans, and the sizes of files in each partition. `source` has the owners of files."""

    def __init__(self, source: Client, partitions: Partitions) -> None:
        self._source = source
        self._partitions = partitions
        self._bytes: dict[int, Counter[str]] = defaultdict(Counter)  # by partition and tenant

    def add_size(self, file_id: str, record: Mapping[str, str]) -> None:
        """Count the record of a file in its partition."""
        if "tenant" in record:
            self._bytes[self._partitions.of_file(file_id)][record["tenant"]] += int(record.get("size", 0))

    def sizes(self) -> Iterator[tuple[int, Command]]:
        """Yield the commands that write the sizes, each with its partition."""
        for number, sizes in self._bytes.items():
            yield number, ["HSET", keys.FILE_BYTES.name, *(part for pair in sizes.items() for part in pair)]

    def loans(self, borrowers: Mapping[str, Sequence[int]]) -> Iterator[tuple[int, Key, int, Command]]:
        """Yield the commands that lend files to the partitions of their holders.

        Each is with its partition, the key that it changes, and the number of items that it adds to that.
        """
        foreign = {
            file_id: others
            for file_id, numbers in borrowers.items()
            if (others := sorted({*numbers} - {self._partitions.of_file(file_id)}))
        }
        names = [keys.FILE(file_id) for file_id in foreign]
        records = self._source.read_hashes(names, ["tenant", "user_id", "state"])
        for (file_id, others), record in zip(foreign.items(), records, strict=True):
            if record.get("state") == "stored":
                for number in others:
                    yield from self._loan(file_id, number, record)

    def _loan(self, file_id: str, borrower: int, record: Mapping[str, str]) -> Iterator[tuple[int, Key, int, Command]]:
        fields = [part for pair in {**record, "loan": MOVED}.items() for part in pair]
        owner, loan = self._partitions.of_file(file_id), f"{borrower}/{MOVED}"
        yield borrower, keys.FILE, len(fields) // 2, ["HSET", keys.FILE(file_id), *fields]
        yield borrower, keys.FILES_DUE, 1, ["ZADD", keys.FILES_DUE.name, CHECKED_AT, file_id]
        yield owner, keys.FILE_HOLDERS, 1, ["SADD", keys.FILE_HOLDERS(file_id), f"p/{loan}"]
        yield owner, keys.FILES_LENT, 1, ["ZADD", keys.FILES_LENT.name, CHECKED_AT, f"{file_id}/{loan}"]
