"""Completions as turns of a session that the request names."""

from dataclasses import replace

from turns.domain.errors import (
    InvalidRequest,
    SessionBusy,
    SessionChanged,
    SessionNotEmpty,
    SessionNotFound,
    TurnExpired,
    TurnNotCommitted,
    TurnNotFound,
    TurnNotLast,
)
from turns.domain.messages import Message
from turns.domain.session import Session
from turns.domain.turn_request import TurnRequest
from turns.store.acceptance import Accepted
from web.security.token_bounds import check_new_session
from web.services import Services
from web.surfaces.openai.chat.branches import Decision, History, Live, Step, branch_seed, decide
from web.surfaces.openai.chat.messages import Content, Conversation
from web.surfaces.openai.unsupported import UnsupportedParameter

MAX_BRANCHES = 16  # of branches
MAX_TRIES = 4  # while other requests change the session
MORE = 8  # messages read beyond the past: more than a turn has
NO_VERSION = -1  # no session has it
CHANGED = "This conversation was continued elsewhere at the same time. Try again."
TOO_MANY = "have left the history too often: begin a new conversation"
RACES = (SessionChanged, SessionNotEmpty, SessionBusy, TurnNotLast, TurnNotCommitted)


class BoundTurns:
    """Accepts questions in the session that was named, or in a branch of it."""

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._sessions = services.sessions
        self._placement = services.placement

    def accept(self, request: TurnRequest, conversation: Conversation) -> Accepted:
        """Return the turn of the question. Its session is a branch if the past is not that of the named one.

        Raises `SessionChanged`, or like `TurnStore.accept`.
        """
        for _ in range(MAX_TRIES):
            try:
                return self._accept(request, conversation)
            except RACES:
                continue
        raise SessionChanged(CHANGED)

    def _accept(self, request: TurnRequest, conversation: Conversation) -> Accepted:
        past, question = conversation.past, conversation.question
        target = request
        for _ in range(MAX_BRANCHES):
            version, history = self._read(target, len(past))
            decision = decide(history, past, question)
            if decision.step is not Step.BRANCH and self._is_possible(decision, request.tenant):
                return self._carry_out(decision, replace(target, if_version=version), past)
            if target is request and (repeated := self._find_repeated(request)):
                return repeated
            target = self._to_branch(target, (*past, question)[: decision.shared or len(past) + 1])
        raise InvalidRequest("messages", TOO_MANY)

    def _is_possible(self, decision: Decision, tenant: str) -> bool:
        """Return false for a turn to regenerate whose record has expired before its session."""
        if decision.step is not Step.REGENERATE:
            return True
        try:
            return bool(self._store.get_turn(decision.turn_id or "", tenant=tenant))
        except (TurnNotFound, TurnExpired):
            return False

    def _carry_out(self, decision: Decision, request: TurnRequest, past: tuple[Content, ...]) -> Accepted:
        match decision:
            case Decision(step=Step.JOIN, turn_id=str(turn_id)):
                return Accepted(turn=self._store.get_turn(turn_id, tenant=request.tenant), replayed=True)
            case Decision(step=Step.REGENERATE, turn_id=turn_id):
                request = replace(request, regenerates=turn_id)
            case Decision(step=Step.BEGIN):
                request = replace(request, if_version=self._begin(request, past))
        return self._store.accept(request)

    def _find_repeated(self, request: TurnRequest) -> Accepted | None:
        """Return the turn for which the idempotency key was used before; None if there is none."""
        if request.idempotency_key is None:
            return None
        try:
            return self._store.accept(replace(request, if_version=NO_VERSION))
        except SessionChanged:
            return None

    def _begin(self, request: TurnRequest, past: tuple[Content, ...]) -> int:
        """Give the empty session the past, and return its version."""
        for content in past:
            if content.parts:
                raise UnsupportedParameter(f"{content.field}.content", "has files, with which no session can begin")
        messages = [
            Message(number=number, role=content.role, content=content.text, turn_id=None)
            for number, content in enumerate(past, start=1)
        ]
        imported = self._sessions.import_messages(
            messages, session_id=request.session_id, user_id=request.user_id, tenant=request.tenant
        )
        return imported.session.version

    def _to_branch(self, request: TurnRequest, messages: tuple[Content, ...]) -> TurnRequest:
        check_new_session()
        seed = branch_seed(request.session, messages)
        branch = self._placement.new_session_id(request.session, request.user_id, request.tenant, seed=seed)
        return replace(request, session_id=branch)

    def _read(self, request: TurnRequest, length: int) -> tuple[int, History]:
        """Return the version of the session, and as much of its history as can be compared with a past."""
        try:
            state = self._sessions.get_session(request.session)
            page = self._sessions.list_messages(request.session, after=None, limit=length + MORE, newest_first=False)
        except SessionNotFound:
            return 0, History()
        return state.version, History(page.messages, self._live_turns(state, request.tenant), page.after is None)

    def _live_turns(self, state: Session, tenant: str) -> list[Live]:
        names = [*([state.running] if state.running else []), *state.queued]
        try:
            return [Live(name, self._store.get_turn(name, tenant=tenant).input) for name in names]
        except (TurnNotFound, TurnExpired):
            raise SessionChanged from None
