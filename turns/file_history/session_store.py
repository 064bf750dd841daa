"""Sessions, where their histories are files."""

from collections.abc import Sequence
from typing import cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.script_replies import Reply
from turns.config.settings import Settings
from turns.domain.errors import HistoryUnusable, SessionNotEmpty, SessionNotFound
from turns.domain.ids import DEFAULT_TENANT, new_token, session_key
from turns.domain.messages import Message, Page, build_page, page_numbers
from turns.file_history.files import HistoryFiles
from turns.file_history.offload import Offload, on_disk, run_inline
from turns.store.sessions import ERASE_LIMIT, Imported, SessionStore


def open_session_store(client: Client, settings: Settings, *, offload: Offload = run_inline) -> SessionStore:
    """`apart` does work that waits for a disk where nobody else has to wait with it."""
    if settings.history_directory is None:
        return SessionStore(client, settings)
    return FileHistorySessionStore(client, settings, HistoryFiles(settings.history_directory), offload)


class FileHistorySessionStore(SessionStore):
    def __init__(self, client: Client, settings: Settings, files: HistoryFiles, offload: Offload = run_inline) -> None:
        super().__init__(client, settings)
        self._files = files
        self._apart = offload

    def messages(self, session: str, *, after: int | None, limit: int, newest_first: bool) -> Page:
        """As in any store. Of the file only what is committed is read."""
        found = cast(list[bytes | None], self._client.hmget(keys.SESSION(session), ["messages", "file", "session_id"]))
        counted, version, known = (None if value is None else value.decode() for value in found)
        try:
            stored = on_disk(lambda: self._files.read_messages(session, version or ""))
        except HistoryUnusable:
            raise SessionNotFound from None
        count = len(stored or []) if counted is None else int(counted)
        if known is None and (stored is None or not count):
            raise SessionNotFound
        numbers = page_numbers(count, after=after, limit=limit, newest_first=newest_first)
        return build_page(numbers, [item for n in numbers for item in (stored or [])[n - 1 : n]], count)

    def import_messages(
        self, messages: Sequence[Message], *, session_id: str, user_id: str | None, tenant: str = DEFAULT_TENANT
    ) -> Imported:
        """As in any store: on disk first, as a version of its own, which the script names or leaves.

        What that answered is not known when the store is away: then a worker tidies up, who can ask it.
        """
        session, version = session_key(session_id, user_id, tenant), new_token()
        stored = [message.to_stored() for message in messages]
        self._stage(session, version, stored)
        word, shown, wait_ms = self._put(stored, session, session_id=session_id, user_id=user_id, version=version)
        # Where it was done before, the file may have a successor by now, in whose place nothing must be put.
        settle = self._files.publish if word is Reply.IMPORTED else self._files.discard
        on_disk(lambda: settle(session, version))
        return self._imported(word, shown, wait_ms)

    def erase(self, session: str) -> None:
        """As in any store."""
        word = Reply.MORE
        while word is Reply.MORE:
            seen = self._files.seen(session)
            word = self._scripts.erase(session, max_turns=ERASE_LIMIT)
            self._files.remove(session, seen)

    def _stage(self, session: str, version: str, stored: Sequence[str]) -> None:
        """Raises `SessionNotEmpty` for a file that nobody has counted yet: it is the session's history already."""
        is_counted = self._client.hexists(keys.SESSION(session), "messages")
        try:
            if not is_counted and on_disk(lambda: self._files.read_messages(session)):
                raise SessionNotEmpty
            on_disk(lambda: self._files.stage(session, version, stored), self._apart)
        except HistoryUnusable:
            raise SessionNotEmpty from None
