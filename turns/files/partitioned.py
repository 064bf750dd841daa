"""The files of a Redis Cluster: each has its record in one partition, which lends it to others whose turns refer to it.

`turns.store.partitioned.file_loans` describes the loans. The sweep returns borrowed files and checks what was lent, so
that a loan ends when the borrower has no record of it any more.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.offload import Offload, run_inline
from turns.backend.partition.each import call_available
from turns.backend.partition.placement import Partitions
from turns.backend.script_replies import Reply
from turns.config.settings import Settings
from turns.domain.content.parts import is_file_id, new_file_id
from turns.domain.errors import FileInUse, FilesFull, StoreUnavailable
from turns.files.blobs import Blobs
from turns.files.scripts import FileScripts
from turns.files.store import SWEEP_LIMIT, FileStore, StoredFile

CHOICES = 3  # partitions that an upload without a session tries


def open_file_store(client: Client, settings: Settings, blobs: Blobs, *, offload: Offload = run_inline) -> FileStore:
    """Return the store of uploaded files that these settings name."""
    kind = PartitionedFileStore if settings.partitions else FileStore
    return kind(client, settings, blobs, offload=offload)


class PartitionedFileStore(FileStore):
    """A partition that is away raises `StoreUnavailable` for its own files only; the sweep leaves it out."""

    def __init__(self, client: Client, settings: Settings, blobs: Blobs, *, offload: Offload = run_inline) -> None:
        super().__init__(client, settings, blobs, offload=offload)
        self._partitions = Partitions.of(settings)
        self._loans = _Loans(client.partitions, settings, self._partitions)
        self._stores = [
            _PartitionFiles(client, number, self._loans, settings, blobs, offload=offload)
            for number in range(self._partitions.count)
        ]

    def add(
        self,
        content: bytes,
        *,
        media_type: str,
        name: str,
        tenant: str,
        user_id: str | None = None,
        session: str | None = None,
        near: str | None = None,
    ) -> StoredFile:
        """Store a file like `FileStore.add`: in the partition of the session, in that of the tenant, or in any."""
        *others, last = [
            partial(
                store.add, content, media_type=media_type, name=name, tenant=tenant, user_id=user_id, session=session
            )
            for store in self._choose(session or near, tenant)
        ]
        for add in others:
            with suppress(StoreUnavailable):
                return add()
        return last()

    def get(self, file_id: str, *, tenant: str, user_id: str | None = None, session: str | None = None) -> StoredFile:
        return self._of(file_id).get(file_id, tenant=tenant, user_id=user_id, session=session)

    def delete(self, file_id: str, *, tenant: str, user_id: str | None = None, session: str | None = None) -> None:
        owner = self._of(file_id)
        try:
            owner.delete(file_id, tenant=tenant, user_id=user_id, session=session)
        except FileInUse:
            self._loans.take_back(file_id, tenant=tenant, user_id=user_id or "")
            owner.delete(file_id, tenant=tenant, user_id=user_id, session=session)

    def sweep(self) -> int:
        """Delete unused files like `FileStore.sweep`, also those that were lent until now."""
        deleted = sum(call_available([store.sweep for store in self._stores]))
        call_available([partial(self._loans.check, number) for number in range(self._partitions.count)])
        return deleted + sum(call_available([self._stores[number].sweep for number in self._loans.pop_returned()]))

    def _choose(self, session: str | None, tenant: str) -> Sequence[FileStore]:
        """Return the stores in one of which a new file can be, the best one first."""
        one = self._partitions.of_session(session) if session else self._partitions.of_tenant(tenant)
        if one is not None:
            return [self._stores[one]]
        # Neighbours are often at the same primary, so if it is away, a partition far from it is not.
        first, step = self._partitions.of_file(new_file_id()), max(1, self._partitions.count // CHOICES)
        return [self._stores[(first + n * step) % self._partitions.count] for n in range(CHOICES)]

    def _of(self, file_id: str) -> FileStore:
        return self._stores[self._partitions.of_file(file_id) if is_file_id(file_id) else 0]


class _PartitionFiles(FileStore):
    """The files of one partition. What was borrowed is returned where others are deleted."""

    def __init__(
        self, client: Client, number: int, loans: "_Loans", settings: Settings, blobs: Blobs, *, offload: Offload
    ) -> None:
        super().__init__(client.partitions[number], settings, blobs, offload=offload)
        self._all = client
        self._number = number
        self._loans = loans
        self._partitions = Partitions.of(settings)

    def _new_id(self) -> str:
        ids = iter(new_file_id, "")
        return next(file_id for file_id in ids if self._partitions.of_file(file_id) == self._number)

    def _max_tenant_bytes(self, tenant: str) -> int:
        """Return what the files in other partitions leave of the tenant's limit."""
        limit = self._settings.tenant_file_bytes
        if not limit:
            return 0
        others = {n: one for n, one in enumerate(self._all.partitions) if n != self._number}
        read = {n: partial(one.execute_command, "HGET", keys.FILE_BYTES.name, tenant) for n, one in others.items()}
        found = self._all.gather(read) if read else {}
        left = limit - sum(int(number or 0) for number in found.values())
        if left <= 0:
            raise FilesFull
        return left

    def _finish_removal(self, removed: list[str]) -> int:
        own = [entry for entry in removed if "/" not in entry]
        returned = self._loans.give_back([entry for entry in removed if "/" in entry], self._number)
        if returned:
            self._scripts.forget_files(returned)
        if own:
            self._delete_bytes(own)
        return len(own)


class _Loans:
    """The ends of loans. A loan is `<file id>/<partition of the borrower>/<token>`."""

    def __init__(self, clients: Sequence[Client], settings: Settings, partitions: Partitions) -> None:
        self._clients = clients
        self._scripts = [FileScripts(one, settings) for one in clients]
        self._partitions = partitions
        self._returned: set[int] = set()

    def give_back(self, borrowed: Sequence[str], borrower: int) -> list[str]:
        """Return files that this partition has borrowed, `<file id>/<token>`; return those that are given back.

        The others belong to partitions that are away, and stay removed files of the borrower.
        """
        by_owner: dict[int, list[str]] = defaultdict(list)
        for entry in borrowed:
            by_owner[self._partitions.of_file(entry.partition("/")[0])].append(entry)
        given: list[str] = []
        for owner, entries in by_owner.items():
            with suppress(StoreUnavailable):
                self._end(owner, [_to_loan(entry, borrower) for entry in entries])
                given += entries
        return given

    def check(self, owner: int) -> None:
        """End the due loans of this partition of which the borrower has no record, because a crash broke them off."""
        while loans := self._scripts[owner].check_loans(SWEEP_LIMIT):
            if broken := [*self._broken(loans)]:
                self._end(owner, broken)

    def take_back(self, file_id: str, *, tenant: str, user_id: str) -> None:
        """End the loans of a file to partitions in which nothing refers to it."""
        owner = self._partitions.of_file(file_id)
        for number in range(self._partitions.count):
            if number == owner:
                continue
            [record] = self._clients[number].read_hashes([keys.FILE(file_id)], ["loan"])
            if record and self._scripts[number].delete_file(file_id, tenant=tenant, user_id=user_id) is Reply.REMOVED:
                self._end(owner, [f"{file_id}/{number}/{record['loan']}"])

    def pop_returned(self) -> set[int]:
        """Return the partitions to which a file was returned since the last call."""
        returned, self._returned = self._returned, set()
        return returned

    def _end(self, owner: int, loans: Sequence[str]) -> None:
        self._scripts[owner].return_files(loans)
        self._returned.add(owner)

    def _broken(self, loans: Iterable[str]) -> Iterator[str]:
        """Yield the loans of which the borrower has no record. Those of a partition that is away are left for later."""
        by_borrower: dict[int, list[str]] = defaultdict(list)
        for loan in loans:
            by_borrower[int(loan.split("/")[1])].append(loan)
        for number, some in by_borrower.items():
            with suppress(StoreUnavailable):
                names = [keys.FILE(loan.partition("/")[0]) for loan in some]
                records = self._clients[number].read_hashes(names, ["loan"])
                yield from (
                    loan
                    for loan, record in zip(some, records, strict=True)
                    if record.get("loan") != loan.rpartition("/")[2]
                )


def _to_loan(entry: str, borrower: int) -> str:
    file_id, _, token = entry.partition("/")
    return f"{file_id}/{borrower}/{token}"
