"""The Lua scripts of files as typed methods, one for each verb."""

from collections.abc import Mapping, Sequence

from turns.backend.script_loader import FILE_VERBS
from turns.backend.script_replies import Reply
from turns.backend.script_runner import ScriptRunner


class FileScripts(ScriptRunner):
    verbs = FILE_VERBS

    def create_file(
        self, file_id: str, *, tenant: str, user_id: str, size: int, max_tenant_bytes: int, fields: Mapping[str, str]
    ) -> tuple[Reply, int]:
        """Return ACCEPTED with the time (ms) of creation, or TOO_MANY with 0."""
        flat = [part for pair in fields.items() for part in pair]
        outcome, *reply = self._run("create_file", file_id, tenant, user_id, size, max_tenant_bytes, *flat)
        return Reply(outcome), int(reply[0]) if reply else 0

    def complete_file(self, file_id: str) -> Reply:
        """Return RECORDED or GONE."""
        return self._outcome("complete_file", file_id)

    def delete_file(self, file_id: str, *, tenant: str, user_id: str) -> Reply:
        """Return REMOVED, BUSY or GONE."""
        return self._outcome("delete_file", file_id, tenant, user_id)

    def sweep_files(self, limit: int) -> list[str]:
        """Return the ids of files whose bytes are to be deleted, and borrowed files to return: `<file id>/<token>`."""
        return [file_id.decode() for file_id in self._all("sweep_files", limit)]

    def forget_files(self, removed: Sequence[str]) -> None:
        """Forget files whose bytes are deleted, and borrowed files that are returned."""
        self._outcome("forget_files", *removed)

    def check_loans(self, limit: int) -> list[str]:
        """Return loans that are to be checked: `<file id>/<partition>/<token>`."""
        return [loan.decode() for loan in self._all("check_loans", limit)]

    def return_files(self, loans: Sequence[str]) -> None:
        """Drop loans of which the borrower has no record any more."""
        self._outcome("return_files", *loans)
