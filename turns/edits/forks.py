"""Fork: a new session that begins with the oldest messages of another one."""

from dataclasses import dataclass

from turns.backend.client import Client
from turns.backend.script_replies import Reply, SessionSnapshot
from turns.config.settings import Settings
from turns.domain.errors import (
    IdempotencyKeyReused,
    SessionNotFound,
    StoreUnavailable,
    TurnExpired,
    TurnNotFound,
)
from turns.domain.ids import DEFAULT_TENANT, session_key
from turns.domain.session import Session
from turns.edits.copies import HistoryCopies
from turns.edits.placement import ForkPlacement
from turns.store.acceptance import refusal
from turns.store.intake import SafetyCheck
from turns.store.sessions import to_session
from turns.store.turns import TurnStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The session to fork, and where the fork ends: with a turn, right before it, or with the last message."""

    session_id: str
    user_id: str | None
    tenant: str = DEFAULT_TENANT
    turn_id: str | None = None
    before: bool = False

    @property
    def session(self) -> str:
        return session_key(self.session_id, self.user_id, self.tenant)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forked:
    """The fork; `replayed` if it was made before."""

    session: Session
    replayed: bool


class Forks:
    def __init__(
        self,
        client: Client,
        settings: Settings,
        store: TurnStore,
        copies: HistoryCopies,
        placement: ForkPlacement,
    ) -> None:
        self._store = store
        self._placement = placement
        self._safety = SafetyCheck(client, settings)
        self._copies = copies

    def fork(self, source: Source, session_id: str | None = None, *, idempotency_key: str | None = None) -> Forked:
        """Begin a session with messages of another one of the same user. The same call again changes nothing.

        Without a `session_id` it gets a new one, for the same key the same one.

        Raises `SessionNotFound`, `TurnNotFound`, `TurnExpired`, `TurnNotCommitted`, `SessionNotEmpty`,
        `IdempotencyKeyReused`, or like `SessionStore.import_messages`.
        """
        self._safety.check()
        new_id = session_id or self._placement.new_session_id(
            source.session, source.user_id, source.tenant, seed=idempotency_key
        )
        outcome, snapshot, wait_ms = self._copy(source, new_id)
        if outcome is Reply.NOT_EMPTY and idempotency_key and not session_id:
            raise IdempotencyKeyReused
        if outcome is Reply.LOST:
            raise StoreUnavailable("the messages have changed while they were copied")
        if outcome is Reply.GONE and source.turn_id:
            self._store.get_turn(source.turn_id, tenant=source.tenant)  # raises `TurnExpired` for an expired one
            raise TurnNotFound
        if outcome is Reply.GONE:
            raise SessionNotFound
        if snapshot is None:
            raise refusal(outcome, wait_ms=wait_ms)
        return Forked(session=to_session(snapshot), replayed=outcome is Reply.REPLAYED)

    def _copy(self, source: Source, session_id: str) -> tuple[Reply, SessionSnapshot | None, int]:
        target = session_key(session_id, source.user_id, source.tenant)
        self._placement.check(source.session, target)
        with self._copies.copied(source.session, target, self._count(source)) as copy:
            outcome, snapshot, wait_ms = self._placement.scripts_of(target).fork(
                target,
                session_id=session_id,
                user_id=source.user_id or "",
                source=source.session,
                how="before" if source.before else "through",
                turn_id=source.turn_id or "",
                version=copy.version,
                count=copy.count,
                files=copy.files,
            )
            copy.is_committed = outcome is Reply.FORKED
        return outcome, snapshot, wait_ms

    def _count(self, source: Source) -> int | None:
        """Return the number of messages to copy to a file; None for all. The script refuses an unfit turn."""
        if source.turn_id is None or not self._copies.are_files:
            return None
        try:
            turn = self._store.get_turn(source.turn_id, tenant=source.tenant)
        except (TurnNotFound, TurnExpired):
            return 0
        numbers = turn.message_numbers
        if numbers is None or turn.session != source.session:
            return 0
        return numbers.start - 1 if source.before else numbers.stop - 1
