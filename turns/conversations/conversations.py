"""Lists of sessions with filters, and changes of what users see of a session."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from turns.backend.script_loader import to_ms
from turns.config.settings import Settings
from turns.conversations.session_filter import SessionFilter
from turns.domain.errors import InvalidRequest
from turns.domain.ids import DEFAULT_TENANT, session_key
from turns.domain.session import Session
from turns.store.sessions import SessionPage, SessionStore

CHUNK = 100  # sessions that one script reads, which takes 0.3 ms
MAX_READS = 1000  # sessions that are read for one page
MAX_COUNTED = 5000  # sessions that are read for a count
BEGIN = "!"  # before the name of any session, so a page after it begins with what was active before that time


@dataclass(frozen=True, slots=True)
class SessionCount:
    """Number of sessions that match; `is_exact` is false if there are more than were read."""

    count: int
    is_exact: bool


class Conversations:
    """Every method raises `StoreUnavailable` if Redis cannot be reached or refuses to write."""

    def __init__(self, sessions: SessionStore, settings: Settings) -> None:
        self._sessions = sessions
        self._settings = settings

    def patch(
        self,
        session_id: str,
        changes: Mapping[str, Any],
        *,
        user_id: str | None = None,
        tenant: str = DEFAULT_TENANT,
        if_version: int | None = None,
    ) -> Session:
        """Change fields of a session: `title`, `metadata`, `archived`, `ttl_seconds`; return it.

        Raises `SessionNotFound`, `SessionChanged` or `InvalidRequest`.
        """
        return self._sessions.patch_session(
            session_id, self._to_stored(changes), user_id=user_id, tenant=tenant, if_version=if_version
        )

    def list(
        self,
        wanted: SessionFilter,
        *,
        tenant: str = DEFAULT_TENANT,
        user_id: str | None = None,
        after: str | None = None,
        limit: int,
    ) -> SessionPage:
        """Return a page of sessions that match, most recently active first. It may be short and not the last one."""
        found: list[Session] = []
        reads, cursor = 0, self._first_cursor(wanted, after)
        for page in self._pages(tenant, user_id, cursor):
            for session in page.sessions:
                if wanted.is_too_old(session):
                    return SessionPage(sessions=tuple(found), after=None)
                if len(found) == limit:
                    return SessionPage(sessions=tuple(found), after=cursor)
                if wanted.matches(session):
                    found.append(session)
                cursor = f"{session.active_at or 0}.{session_key(session.session_id, session.user_id, tenant)}"
            reads += CHUNK
            if reads >= MAX_READS or page.after is None:
                return SessionPage(sessions=tuple(found), after=page.after)
        raise AssertionError("the last page has no cursor")

    def count(self, wanted: SessionFilter, *, tenant: str = DEFAULT_TENANT, user_id: str | None = None) -> SessionCount:
        """Return the number of sessions that match."""
        count = reads = 0
        for page in self._pages(tenant, user_id, self._first_cursor(wanted, None)):
            for session in page.sessions:
                if wanted.is_too_old(session):
                    return SessionCount(count, is_exact=True)
                count += wanted.matches(session)
            reads += CHUNK
            if reads >= MAX_COUNTED and page.after:
                return SessionCount(count, is_exact=False)
        return SessionCount(count, is_exact=True)

    def _first_cursor(self, wanted: SessionFilter, after: str | None) -> str | None:
        """Return the cursor of a page: the caller's, or that of the end of the period."""
        if after is None and wanted.active_before is not None:
            return f"{wanted.active_before}.{BEGIN}"
        return after

    def _pages(self, tenant: str, user_id: str | None, cursor: str | None) -> Iterator[SessionPage]:
        while True:
            if user_id is None:
                page = self._sessions.list_sessions(tenant=tenant, after=cursor, limit=CHUNK)
            else:
                page = self._sessions.list_user_sessions(user_id, tenant=tenant, after=cursor, limit=CHUNK)
            yield page
            cursor = page.after
            if cursor is None:
                return

    def _to_stored(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Return the changes as the script expects them."""
        stored = {name: value for name, value in changes.items() if name != "ttl_seconds"}
        if "ttl_seconds" not in changes:
            return stored
        if self._settings.history_directory:
            raise InvalidRequest("ttl_seconds", "cannot be changed while histories are files, which are kept for ever")
        ttl_seconds = changes["ttl_seconds"]
        if ttl_seconds is not None and ttl_seconds < self._settings.result_ttl_seconds:
            shortest = f"{self._settings.result_ttl_seconds:g}, the time for which ended turns are kept"
            raise InvalidRequest("ttl_seconds", f"must be null or at least {shortest}")
        return {**stored, "ttl_ms": 0 if ttl_seconds is None else to_ms(ttl_seconds)}
