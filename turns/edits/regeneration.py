"""Regenerate: answer the question of an earlier turn again, or a new version of the question."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from turns.domain.assistant import Assistant, Lane
from turns.domain.content.parts import Part, text_of, with_text
from turns.domain.errors import SessionChanged, TurnNotCommitted, TurnNotLast
from turns.domain.ids import session_key
from turns.domain.turn import Turn
from turns.domain.turn_request import OnBusy, TurnRequest
from turns.edits.copies import HistoryCopies
from turns.edits.placement import ForkPlacement
from turns.store.acceptance import Accepted
from turns.store.sessions import SessionStore
from turns.store.turns import TurnStore


class Fork(StrEnum):
    """Whether a turn that regenerates another one begins a session with the messages before that one."""

    IF_EARLIER = "if_earlier"  # if other turns were committed after it
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The values that differ from those of the regenerated turn; None leaves a value as it is.

    `parts` with the input: () for text alone, None to keep the images and files of the earlier turn.
    With another assistant, the variables of the earlier turn do not count. `session_id` is that of a fork.
    """

    input: str | None = None
    parts: tuple[Part, ...] | None = None
    assistant: str | None = None
    variables: Mapping[str, str] | None = None
    metadata: Mapping[str, str] | None = None
    lane: Lane | None = None
    on_busy: OnBusy = OnBusy.ENQUEUE
    start_within_seconds: float | None = None
    fork: Fork = Fork.IF_EARLIER
    session_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The request that asks for an edit: its tenant, its keys and ids, and the version that the session must have."""

    tenant: str
    idempotency_key: str | None = None
    request_id: str | None = None
    key_id: str | None = None
    traceparent: str | None = None
    if_version: int | None = None


class Regeneration:
    """`find` returns an assistant by its name, or raises `AssistantNotFound`."""

    def __init__(
        self,
        store: TurnStore,
        sessions: SessionStore,
        copies: HistoryCopies,
        placement: ForkPlacement,
        find: Callable[[str], Assistant],
    ) -> None:
        self._store = store
        self._placement = placement
        self._sessions = sessions
        self._copies = copies
        self._find = find

    def regenerate(self, turn_id: str, changes: Changes, origin: Origin) -> Accepted:
        """Accept a turn that replaces the messages of the last committed turn of its session when it commits itself.

        Until then, and if it does not commit, they stay. For an earlier turn, fork the session before it and accept
        the turn there. Raises `TurnNotCommitted`, `TurnNotLast`, `SessionNotEmpty`, or like `TurnStore.get_turn` and
        `TurnStore.accept`.
        """
        earlier = self._store.get_turn(turn_id, tenant=origin.tenant)
        if not earlier.status.is_terminal:
            raise TurnNotCommitted
        request = self._to_request(earlier, changes, origin)
        if changes.fork is Fork.ALWAYS:
            self._check_version(earlier, origin)
            return self._fork(earlier, request, changes)
        try:
            return self._store.accept(request)
        except TurnNotLast:
            if changes.fork is Fork.NEVER:
                raise
            return self._fork(earlier, request, changes)

    def _fork(self, earlier: Turn, request: TurnRequest, changes: Changes) -> Accepted:
        """Accept the turn as the first one of a session that begins with the messages before the earlier turn."""
        if earlier.message_numbers is None:
            raise TurnNotCommitted
        session_id = changes.session_id or self._placement.new_session_id(
            earlier.session, earlier.user_id, earlier.tenant
        )
        target = session_key(session_id, earlier.user_id, earlier.tenant)
        self._placement.check(earlier.session, target)
        with self._copies.copied(earlier.session, target, earlier.message_numbers.start - 1) as copy:
            forked_from = earlier.session
            if copy.count is not None:
                forked_from += f" {copy.version} {copy.files}"
            accepted = self._store.accept(
                replace(request, session_id=session_id, forked_from=forked_from, if_version=None)
            )
            copy.is_committed = not accepted.replayed
        return accepted

    def _check_version(self, earlier: Turn, origin: Origin) -> None:
        wanted = origin.if_version
        if wanted is not None and wanted != self._sessions.get_session(earlier.session).version:
            raise SessionChanged

    def _to_request(self, earlier: Turn, changes: Changes, origin: Origin) -> TurnRequest:
        assistant = self._find(changes.assistant or earlier.assistant)
        variables = changes.variables
        if variables is None:
            variables = earlier.variables if assistant.name == earlier.assistant else {}
        assistant.check_variables(variables)
        parts = changes.parts
        if parts is None:
            parts = earlier.parts if changes.input is None else with_text(earlier.parts, changes.input)
        assistant.check_parts(parts)
        return TurnRequest(
            session_id=earlier.session_id,
            user_id=earlier.user_id,
            tenant=origin.tenant,
            input=text_of(parts) if parts else changes.input or earlier.input,
            parts=parts,
            assistant=assistant,
            variables=variables,
            metadata=earlier.metadata if changes.metadata is None else changes.metadata,
            lane=changes.lane or earlier.lane,
            on_busy=changes.on_busy,
            start_within_seconds=changes.start_within_seconds,
            regenerates=earlier.id,
            response_format=earlier.response_format,
            idempotency_key=origin.idempotency_key,
            traceparent=origin.traceparent,
            request_id=origin.request_id,
            key_id=origin.key_id,
            if_version=origin.if_version,
        )
