"""Loans of uploaded files: a partition whose turns refer to a file of another partition borrows it first.

The scripts of turns see only files of one partition. So the borrower has a record of the file, and the holders of
it that are in the partition; and the partition of the file has one holder for the loan. Three steps in the order of an
upload make a loan: the borrower records it, the owner lends the file, the borrower lets turns refer to it. What a crash
leaves is found in the store: `turns.files` returns borrowed files that nothing refers to, and drops loans of which the
borrower has no record.
"""

from collections.abc import Sequence

from turns.backend.client import Client
from turns.backend.partition.placement import Partitions
from turns.backend.script_loader import LOAN_VERBS
from turns.backend.script_replies import Reply
from turns.backend.script_runner import ScriptRunner
from turns.config.settings import Settings
from turns.domain.errors import StoreUnavailable
from turns.domain.ids import new_token


class LoanScripts(ScriptRunner):
    """The scripts of loans as typed methods, one for each verb."""

    verbs = LOAN_VERBS

    def borrow_file(self, file_id: str, token: str) -> str | None:
        """Return the token of the loan; None if turns here can refer to the file already."""
        outcome, *reply = self._run("borrow_file", file_id, token)
        return reply[0].decode() if Reply(outcome) is Reply.ACCEPTED else None

    def lend_file(self, file_id: str, partition: int, token: str) -> tuple[str, str] | None:
        """Return the tenant and the user, or '', of the file; None if there is no such file."""
        outcome, *reply = self._run("lend_file", file_id, partition, token)
        if Reply(outcome) is Reply.GONE:
            return None
        tenant, user_id = (part.decode() for part in reply)
        return tenant, user_id

    def keep_file(self, file_id: str, token: str, *, tenant: str, user_id: str) -> Reply:
        """Return RECORDED or GONE."""
        return self._outcome("keep_file", file_id, token, tenant, user_id)


class FileLoans:
    """Each call may be repeated. Raises `StoreUnavailable` if one of both partitions is away."""

    def __init__(self, clients: Sequence[Client], settings: Settings, partitions: Partitions) -> None:
        self._scripts = [LoanScripts(one, settings) for one in clients]
        self._partitions = partitions

    def borrow(self, file_ids: Sequence[str], partition: int) -> None:
        """Let turns of this partition refer to these files from now on; leave out those that do not exist."""
        for file_id in file_ids:
            owner = self._partitions.of_file(file_id)
            if owner != partition:
                self._borrow(file_id, owner, partition)

    def _borrow(self, file_id: str, owner: int, partition: int) -> None:
        borrower = self._scripts[partition]
        token = borrower.borrow_file(file_id, new_token())
        if token is None:
            return
        found = self._scripts[owner].lend_file(file_id, partition, token)
        if found is None:
            return  # `accept` refuses the turn, unless it is a repeated one
        tenant, user_id = found
        if borrower.keep_file(file_id, token, tenant=tenant, user_id=user_id) is Reply.GONE:
            raise StoreUnavailable("it took too long to borrow a file of another partition")
