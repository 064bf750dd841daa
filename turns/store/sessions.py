"""The store, as far as it is about sessions: their state, their committed history, their end."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.script_replies import Reply, SessionSnapshot
from turns.backend.scripts import Scripts
from turns.config.settings import Settings
from turns.domain.errors import SessionNotFound
from turns.domain.ids import DEFAULT_TENANT, session_key
from turns.domain.messages import Message, Page, build_page, page_numbers
from turns.domain.turn import Session
from turns.store.acceptance import refusal

ERASE_LIMIT = 500  # turns that one call deletes, so that the store serves others in between


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPage:
    """Some sessions, the last active first; `after` is the cursor of the next page, None on the last."""

    sessions: tuple[Session, ...]
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """The session that was given messages. `replayed`: it had been before."""

    session: Session
    replayed: bool


class SessionStore:
    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._scripts = Scripts(client, settings)

    def get_session(self, session: str) -> Session:
        """The session as it is now. Raises `SessionNotFound`."""
        shown = self._scripts.get_session(session)
        if shown is None:
            raise SessionNotFound
        return _session(shown, session)

    def list_sessions(self, *, tenant: str = DEFAULT_TENANT, after: str | None, limit: int) -> SessionPage:
        """A page of the tenant's sessions. One that becomes active while pages are read moves to the front.

        `after` is an earlier page's; anything else gives some page.
        """
        active_at, _, session = (after or "").partition(".")
        (last, at), shown = self._scripts.list_sessions(tenant=tenant, after=session, active_at=active_at, limit=limit)
        return SessionPage(sessions=tuple(map(_session, shown)), after=f"{at}.{last}" if last else None)

    def messages(self, session: str, *, after: int | None, limit: int, newest_first: bool) -> Page:
        """A page of the committed history. Raises `SessionNotFound`."""
        history = keys.HISTORY(session)
        if self._client.type(history) not in {b"list", b"none"}:
            raise SessionNotFound
        count = int(self._client.llen(history))
        if not count and not self._client.exists(keys.SESSION(session)):
            raise SessionNotFound
        # The list is newest first, and grows while pages are read. Counted from its end, places do not move:
        # message number n stands at index -n.
        numbers = page_numbers(count, after=after, limit=limit, newest_first=newest_first)
        stored = cast(list[bytes], self._client.lrange(history, -max(numbers), -min(numbers))) if numbers else []
        return build_page(numbers, stored if newest_first else reversed(stored), count)

    def import_messages(
        self, messages: Sequence[Message], *, session_id: str, user_id: str | None, tenant: str = DEFAULT_TENANT
    ) -> Imported:
        """The session, which was empty and idle, has these messages; the same ones a second time change nothing.

        Raises `SessionNotEmpty`, `SessionBusy`, or like `TurnStore.accept`; then nothing is stored.
        """
        session = session_key(session_id, user_id, tenant)
        stored = [message.to_stored() for message in messages]
        return self._imported(*self._put(stored, session, session_id=session_id, user_id=user_id))

    def erase(self, session: str) -> None:
        """There is no such session: what was live in it is cancelled, its history and its turns are deleted."""
        while self._scripts.erase(session, max_turns=ERASE_LIMIT) is Reply.MORE:
            pass

    def _put(
        self, stored: Sequence[str], session: str, *, session_id: str, user_id: str | None, version: str = ""
    ) -> tuple[Reply, SessionSnapshot | None, int]:
        """`version`: of the file that has the messages; then only their number is told."""
        return self._scripts.import_messages(
            session,
            session_id=session_id,
            user_id=user_id or "",
            digest=hashlib.sha256("\n".join(stored).encode()).hexdigest(),
            count=len(stored),
            version=version,
            stored=[] if version else stored,
        )

    def _imported(self, word: Reply, shown: SessionSnapshot | None, wait_ms: int) -> Imported:
        if shown is None:
            raise refusal(word, wait_ms=wait_ms)
        return Imported(session=_session(shown), replayed=word is Reply.REPLAYED)


def _session(shown: SessionSnapshot, session: str = "") -> Session:
    """A session that only others ever wrote to has no record of ours; then its name is its id."""
    running, queued = (shown.live[0], shown.live[1:]) if shown.is_running else (None, shown.live)
    return Session(
        session_id=shown.session_id or session.rpartition("/")[2],
        user_id=shown.user_id or None,
        running=running,
        queued=tuple(queued),
        message_count=shown.messages,
        active_at=shown.active_at,
    )
