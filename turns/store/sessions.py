"""The session store: the state of sessions, their committed messages, and their deletion."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.offload import Offload, run_inline
from turns.backend.script_replies import Reply, SessionSnapshot
from turns.config.settings import Settings
from turns.domain.errors import InvalidRequest, SessionChanged, SessionNotFound, StoreUnavailable
from turns.domain.ids import DEFAULT_TENANT, forked_session_id, new_token, session_key, unescape_id, user_key
from turns.domain.messages import Message, MessagePage, UnansweredQuestion, build_page, page_numbers
from turns.domain.session import Session
from turns.store.acceptance import refusal
from turns.store.intake import SafetyCheck
from turns.store.session_scripts import SessionScripts

MAX_LABELS = 16
MAX_UNANSWERED = 20  # as in `unanswered.lua`
MAX_NAMES = 5000  # sessions of one user that one call puts in order, which takes 4 ms
IMPORT_CHUNK_BYTES = 256 * 1024  # written by one command, so that Redis serves other clients in between
IMPORT_SECONDS = 60  # an import that broke off is deleted after this time
ADOPT_PAGE = 100
TITLE_CHARACTERS = 1000  # more than a title has, after spaces before its text
ERASE_LIMIT = 500  # turns that one call deletes, so that Redis serves other clients in between


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPage:
    """A page of sessions, latest activity first; `after` is the cursor of the next page, None on the last."""

    sessions: tuple[Session, ...]
    after: str | None


@dataclass(frozen=True, slots=True)
class EncodedMessages:
    """Messages as they are stored, oldest first, and a digest of them."""

    stored: Sequence[str]
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """The session with imported messages; `replayed` if the same messages were imported before."""

    session: Session
    replayed: bool


class SessionStore:
    """Every method raises `StoreUnavailable` if Redis cannot be reached or refuses to write."""

    def __init__(self, client: Client, settings: Settings, offload: Offload = run_inline) -> None:
        self._client = client
        self._offload = offload
        self._scripts = SessionScripts(client, settings)
        self._safety = SafetyCheck(client, settings)

    def get_session(self, session: str) -> Session:
        """Return the session. Raises `SessionNotFound`."""
        snapshot = self._scripts.get_session(session)
        if snapshot is None:
            raise SessionNotFound
        return to_session(snapshot, session)

    def list_sessions(self, *, tenant: str = DEFAULT_TENANT, after: str | None, limit: int) -> SessionPage:
        """Return a page of the tenant's sessions.

        A session that becomes active between two pages moves to the front. `after` is the cursor of an earlier page;
        any other text selects an arbitrary page.
        """
        active_at, _, session = (after or "").partition(".")
        (last, at), found = self._scripts.list_sessions(tenant=tenant, after=session, active_at=active_at, limit=limit)
        return SessionPage(sessions=tuple(map(to_session, found)), after=f"{at}.{last}" if last else None)

    def list_user_sessions(
        self, user_id: str, *, tenant: str = DEFAULT_TENANT, after: str | None, limit: int
    ) -> SessionPage:
        """Return a page of the sessions of a user like `list_sessions`; of many, only `MAX_NAMES` are read."""
        active_at, _, session = (after or "").partition(".")
        (last, at), found = self._scripts.list_user_sessions(
            tenant=tenant,
            user=user_key(user_id, tenant),
            after=session,
            active_at=active_at,
            limit=limit,
            max_names=MAX_NAMES,
        )
        return SessionPage(sessions=tuple(map(to_session, found)), after=f"{at}.{last}" if last else None)

    def list_user_names(
        self, user_id: str, *, tenant: str = DEFAULT_TENANT, after: str = "", limit: int
    ) -> Sequence[str]:
        """Return the names of the user's sessions after this one, in their order, also of some that have expired."""
        user = user_key(user_id, tenant)
        first = f"({after}" if after else f"[{user}/"
        end = f"({user}0"  # 0 is the character after the slash
        names = self._client.zrange(keys.USER_SESSIONS(tenant), first, end, bylex=True, offset=0, num=limit)
        return [name.decode() for name in cast(list[bytes], names)]

    def count_turns(self, session: str) -> int:
        """Return the number of turns of a session that have a record."""
        return int(self._client.zcard(keys.SESSION_TURNS(session)))

    def patch_session(
        self,
        session_id: str,
        changes: Mapping[str, Any],
        *,
        user_id: str | None,
        tenant: str = DEFAULT_TENANT,
        if_version: int | None = None,
    ) -> Session:
        """Change a session as `patch_session.lua` describes.

        Raises `SessionNotFound`, `SessionChanged` or, for too many labels, `InvalidRequest`.
        """
        outcome, snapshot = self._scripts.patch_session(
            session_key(session_id, user_id, tenant),
            session_id=session_id,
            user_id=user_id or "",
            version=if_version,
            changes=json.dumps(changes),
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

    def list_messages(self, session: str, *, after: int | None, limit: int, newest_first: bool) -> MessagePage:
        """Return a page of the committed messages. Raises `SessionNotFound`."""
        history = keys.HISTORY(session)
        if self._client.type(history) not in {b"list", b"none"}:
            raise SessionNotFound
        count = int(self._client.llen(history))
        if not count and not self._client.exists(keys.SESSION(session)):
            raise SessionNotFound
        # The list is newest first and grows while pages are read, so it is indexed from its end: message n is at -n.
        numbers = page_numbers(count, after=after, limit=limit, newest_first=newest_first)
        first, last = min(numbers, default=1), min(count, max(numbers, default=0) + 1)
        stored = cast(list[bytes], self._client.lrange(history, -last, -first)) if numbers else []
        # Numbered from the oldest one, because the last ones may have been deleted since they were counted.
        return build_page(numbers, dict(enumerate(reversed(stored), start=first)), count)

    def list_unanswered(self, session: str) -> tuple[UnansweredQuestion, ...]:
        """Return the last questions without an answer, oldest first. Raises `SessionNotFound`."""
        names = [f"unanswered/{position}" for position in range(MAX_UNANSWERED)]
        known, *stored = cast(list[bytes | None], self._client.hmget(keys.SESSION(session), ["session_id", *names]))
        if not known and not self._client.exists(keys.HISTORY(session)):
            raise SessionNotFound
        found = [UnansweredQuestion.from_stored(one) for one in stored if one]
        return tuple(sorted(found, key=lambda question: question.sequence))

    def import_messages(
        self, messages: Sequence[Message], *, session_id: str, user_id: str | None, tenant: str = DEFAULT_TENANT
    ) -> Imported:
        """Give an empty, idle session these messages; the same messages a second time change nothing.

        Raises `SessionNotEmpty`, `SessionBusy`, or like `TurnStore.accept`; then nothing is stored.
        """
        self._safety.check()
        session, token = session_key(session_id, user_id, tenant), new_token()
        encoded = self._encode(messages)
        self._stage_list(token, encoded.stored)
        outcome, snapshot, wait_ms = self._put(
            encoded, session, session_id=session_id, user_id=user_id, version=token, text=messages[0].content
        )
        if outcome is not Reply.IMPORTED:
            self._client.unlink(keys.IMPORT(token))
        return self._imported(outcome, snapshot, wait_ms)

    def erase(self, session: str) -> None:
        """Cancel the live turns of a session and delete its history and its turns, whether or not it exists."""
        while self._scripts.erase(session, max_turns=ERASE_LIMIT) is Reply.MORE:
            pass

    def count_sessions(self, *, tenant: str = DEFAULT_TENANT) -> int:
        return int(self._client.zcard(keys.SESSIONS(tenant)))

    def adopt_all(self, *, tenant: str) -> Counter[Reply]:
        """Give all idle sessions of the default tenant to this one; return the number of sessions by outcome.

        Each session moves at once, so a call that was interrupted can be repeated.
        """
        adopted = 0
        while (outcomes := self._adopt_once(tenant))[Reply.ADOPTED]:  # the cursor may skip sessions while others leave
            adopted += outcomes[Reply.ADOPTED]
        outcomes[Reply.ADOPTED] = adopted
        return outcomes

    def adopt(self, session: Session, *, tenant: str) -> Reply:
        """Give a session of the default tenant to this one. Return ADOPTED, GONE, SESSION_BUSY, NOT_EMPTY or LOST."""
        return self._scripts.adopt(
            session_key(session.session_id, session.user_id),
            session_key(session.session_id, session.user_id, tenant),
            version="",
        )

    def _adopt_once(self, tenant: str) -> Counter[Reply]:
        outcomes, page = Counter[Reply](), self.list_sessions(after=None, limit=ADOPT_PAGE)
        while True:
            outcomes.update(self.adopt(session, tenant=tenant) for session in page.sessions)
            if page.after is None:
                return outcomes
            page = self.list_sessions(after=page.after, limit=ADOPT_PAGE)

    def _encode(self, messages: Sequence[Message]) -> EncodedMessages:
        def encode() -> EncodedMessages:
            stored = [message.to_stored() for message in messages]
            return EncodedMessages(stored, hashlib.sha256("\n".join(stored).encode()).hexdigest())

        return cast(EncodedMessages, self._offload(encode))

    def _stage_list(self, token: str, stored: Sequence[str]) -> None:
        """Write the messages to a separate list, newest first, which the script makes the history."""
        for chunk in _chunks(stored):
            commands = [("LPUSH", keys.IMPORT(token), *chunk), ("EXPIRE", keys.IMPORT(token), IMPORT_SECONDS)]
            self._client.execute_many(commands, transaction=True)

    def _put(
        self,
        encoded: EncodedMessages,
        session: str,
        *,
        session_id: str,
        user_id: str | None,
        version: str,
        text: str,
    ) -> tuple[Reply, SessionSnapshot | None, int]:
        """Make the staged messages the history: the list of this token, or the file of this version."""
        return self._scripts.import_messages(
            session,
            session_id=session_id,
            user_id=user_id or "",
            digest=encoded.digest,
            count=len(encoded.stored),
            version=version,
            text=text[:TITLE_CHARACTERS],
        )

    def _imported(self, outcome: Reply, snapshot: SessionSnapshot | None, wait_ms: int) -> Imported:
        if outcome is Reply.LOST:
            raise StoreUnavailable("the store has lost a part of the import")
        if snapshot is None:
            raise refusal(outcome, wait_ms=wait_ms)
        return Imported(session=to_session(snapshot), replayed=outcome is Reply.REPLAYED)


def _chunks(stored: Sequence[str]) -> Iterator[Sequence[str]]:
    """Split the messages, so that each part is at most `IMPORT_CHUNK_BYTES` long, or one message."""
    first, size = 0, 0
    for index, message in enumerate(stored):
        if index > first and size + len(message) > IMPORT_CHUNK_BYTES:
            yield stored[first:index]
            first, size = index, 0
        size += len(message)
    yield stored[first:]


def to_session(found: SessionSnapshot, session: str = "") -> Session:
    """Return the session. One that only other programs have written to gets its id from `session`."""
    running, queued = (found.live[0], found.live[1:]) if found.is_running else (None, found.live)
    details = found.details
    return Session(
        session_id=found.session_id or unescape_id(session.rpartition("/")[2]),
        user_id=found.user_id or None,
        running=running,
        queued=tuple(queued),
        message_count=found.messages,
        active_at=found.active_at,
        version=found.version,
        title=details.get("own_title") or details.get("title") or None,
        metadata=json.loads(details.get("metadata", "{}")),
        is_archived="archived" in details,
        ttl_seconds=int(details.get("ttl_ms", 0)) / 1000 or None,
        created_at=int(details["created_at"]) if "created_at" in details else None,
        forked_from=forked_session_id(details.get("forked_from")),
    )
