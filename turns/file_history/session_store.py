"""The session store for histories in files."""

from collections.abc import Sequence
from typing import cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.offload import Offload, run_inline
from turns.backend.script_replies import Reply
from turns.config.settings import Settings
from turns.domain.errors import HistoryUnusable, SessionNotEmpty, SessionNotFound
from turns.domain.ids import DEFAULT_TENANT, new_token, session_key
from turns.domain.messages import Message, MessagePage, build_page, page_numbers
from turns.domain.session import Session
from turns.file_history.files import HistoryFiles
from turns.file_history.offload import run_disk_io
from turns.store.partitioned.sessions import PartitionedSessionStore
from turns.store.sessions import ERASE_LIMIT, Imported, SessionStore


def open_session_store(client: Client, settings: Settings, *, offload: Offload = run_inline) -> SessionStore:
    """Return the store for `INTURN_HISTORY`; `offload` runs its writes to the disk, and the encoding of imports."""
    if settings.partitions:
        return PartitionedSessionStore(client, settings, offload)
    if settings.history_directory is None:
        return SessionStore(client, settings, offload)
    return FileHistorySessionStore(client, settings, HistoryFiles(settings.history_directory), offload)


class FileHistorySessionStore(SessionStore):
    def __init__(self, client: Client, settings: Settings, files: HistoryFiles, offload: Offload = run_inline) -> None:
        super().__init__(client, settings, offload)
        self._files = files

    def list_messages(self, session: str, *, after: int | None, limit: int, newest_first: bool) -> MessagePage:
        """Return a page of the committed messages in the file. Raises `SessionNotFound`."""
        found = cast(list[bytes | None], self._client.hmget(keys.SESSION(session), ["messages", "file", "session_id"]))
        counted, version, known = (None if value is None else value.decode() for value in found)
        try:
            stored = run_disk_io(lambda: self._files.read_messages(session, version or ""))
        except HistoryUnusable:
            raise SessionNotFound from None
        count = len(stored or []) if counted is None else int(counted)
        if known is None and (stored is None or not count):
            raise SessionNotFound
        numbers = page_numbers(count, after=after, limit=limit, newest_first=newest_first)
        return build_page(numbers, dict(enumerate(stored or [], start=1)), count)

    def import_messages(
        self, messages: Sequence[Message], *, session_id: str, user_id: str | None, tenant: str = DEFAULT_TENANT
    ) -> Imported:
        """Import messages like `SessionStore.import_messages`: write a version, then let the script commit it.

        If the store does not reply, the version stays; `FileHistoryTurnStore.tidy` publishes or deletes it later.
        """
        self._safety.check()
        session, version = session_key(session_id, user_id, tenant), new_token()
        encoded = self._encode(messages)
        self._stage(session, version, encoded.stored)
        outcome, snapshot, wait_ms = self._put(
            encoded, session, session_id=session_id, user_id=user_id, version=version, text=messages[0].content
        )
        # A replayed import must not be published: a later version may already be the session's file.
        finish = self._files.publish if outcome is Reply.IMPORTED else self._files.discard
        run_disk_io(lambda: finish(session, version))
        return self._imported(outcome, snapshot, wait_ms)

    def erase(self, session: str) -> None:
        """Erase a session like `SessionStore.erase`, and delete its files."""
        outcome = Reply.MORE
        while outcome is Reply.MORE:
            files = self._files.list_files(session)  # before the script, so that files of a new session are kept
            outcome = self._scripts.erase(session, max_turns=ERASE_LIMIT)
            self._files.remove_files(session, files)

    def adopt(self, session: Session, *, tenant: str) -> Reply:
        """Adopt a session like `SessionStore.adopt`: copy its file before that, and delete the old one after it.

        Return BROKEN, and leave the session, if its committed file cannot be read.
        """
        old, new = (session_key(session.session_id, session.user_id, of) for of in (DEFAULT_TENANT, tenant))
        committed = cast(bytes | None, self._client.hget(keys.SESSION(old), "file"))
        version, old_files = (committed or b"").decode(), self._files.list_files(old)
        try:
            stored, copy = self._files.read_messages(old, version), version or new_token()
        except (HistoryUnusable, OSError):
            return Reply.BROKEN
        if version and stored is None:
            return Reply.BROKEN
        self._files.discard(new, copy)  # of a call that was interrupted
        if self._files.list_files(new):
            return Reply.NOT_EMPTY
        if stored is not None:
            self._files.stage(new, copy, stored)
        outcome = self._scripts.adopt(old, new, version=version)
        finish = self._files.publish if outcome is Reply.ADOPTED else self._files.discard
        finish(new, copy)
        if outcome is Reply.ADOPTED:
            self._files.remove_files(old, old_files)
        return outcome

    def _stage(self, session: str, version: str, stored: Sequence[str]) -> None:
        """Write a version. Raises `SessionNotEmpty` for a file with messages that the record does not count."""
        is_counted = self._client.hexists(keys.SESSION(session), "messages")
        try:
            if not is_counted and run_disk_io(lambda: self._files.read_messages(session)):
                raise SessionNotEmpty
            run_disk_io(lambda: self._files.stage(session, version, stored), self._offload)
        except HistoryUnusable:
            raise SessionNotEmpty from None
