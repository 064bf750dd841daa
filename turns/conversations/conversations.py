"""Lists of sessions with filters, and changes of what users see of a session."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from turns.backend.client import Client
from turns.backend.script_loader import to_ms
from turns.backend.script_replies import Reply
from turns.backend.scripts import Scripts
from turns.config.settings import Settings
from turns.conversations.session_filter import SessionFilter
from turns.domain.errors import InvalidRequest, SessionChanged, SessionNotFound
from turns.domain.ids import DEFAULT_TENANT, session_key, user_key
from turns.domain.turn import Session
from turns.store.session_scripts import SessionScripts
from turns.store.sessions import SessionPage, to_session

MAX_LABELS = 16
CHUNK = 100  # sessions that one script reads, which takes 0.3 ms
MAX_READS = 1000  # sessions that are read for one page
MAX_COUNTED = 5000  # sessions that are read for a count
MAX_NAMES = 5000  # sessions of one user in the order of their activity
BEGIN = "!"  # before the name of any session, so a page after it begins with what was active before that time


@dataclass(frozen=True, slots=True)
class SessionCount:
    """Number of sessions that match; `is_exact` is false if there are more than were read."""

    count: int
    is_exact: bool


class Conversations:
    """Every method raises `StoreUnavailable` if Redis cannot be reached or refuses to write."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._scripts = Scripts(client, settings)
        self._session_scripts = SessionScripts(client, settings)
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
        outcome, snapshot = self._session_scripts.patch_session(
            session_key(session_id, user_id, tenant),
            session_id=session_id,
            user_id=user_id or "",
            version=if_version,
            changes=json.dumps(self._to_stored(changes)),
            max_labels=MAX_LABELS,
        )
        match outcome:
            case Reply.SESSION_CHANGED:
                raise SessionChanged
            case Reply.TOO_MANY:
                raise InvalidRequest("metadata", f"must have at most {MAX_LABELS} entries with this change")
        if snapshot is None:
            raise SessionNotFound
        return to_session(snapshot)

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

    def _first_cursor(self, wanted: SessionFilter, after: str | None) -> str:
        """Return the cursor of a page: the caller's, or one before the period's end, which lies in the future else."""
        if after is None:
            return "" if wanted.active_before is None else f"{wanted.active_before}.{BEGIN}"
        return after

    def _pages(self, tenant: str, user_id: str | None, cursor: str) -> Iterator[SessionPage]:
        while True:
            active_at, _, session = cursor.partition(".")
            if user_id is None:
                reply = self._scripts.list_sessions(tenant=tenant, after=session, active_at=active_at, limit=CHUNK)
            else:
                reply = self._session_scripts.list_user_sessions(
                    tenant=tenant,
                    user=user_key(user_id, tenant),
                    after=session,
                    active_at=active_at,
                    limit=CHUNK,
                    max_names=MAX_NAMES,
                )
            (last, at), snapshots = reply
            cursor = f"{at}.{last}"
            yield SessionPage(sessions=tuple(map(to_session, snapshots)), after=cursor if last else None)
            if not last:
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
