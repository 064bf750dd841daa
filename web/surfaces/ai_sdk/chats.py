"""Chats as sessions: accept the question of a page, and find the turn whose answer comes next."""

from dataclasses import replace

from turns.domain.errors import SessionChanged, SessionNotFound, TurnExpired, TurnNotFound
from turns.domain.messages import Message
from turns.domain.state import Status
from turns.domain.turn import Turn
from turns.domain.turn_request import TurnRequest
from turns.edits.regeneration import Changes, Fork, Origin, Regeneration
from turns.store.sessions import SessionStore
from turns.store.turns import TurnStore
from web.surfaces.ai_sdk.messages import question_id
from web.surfaces.ai_sdk.requests import ChatBody, hashed

CHANGED = "This conversation was continued elsewhere. Load it again."
NO_VERSION = -1  # no session has it
MAX_SHOWN = 100  # newest messages with which a page begins
COMPARED = 8  # newest messages, in which the last two committed turns are found


class Chats:
    def __init__(self, store: TurnStore, sessions: SessionStore, regeneration: Regeneration) -> None:
        self._store = store
        self._sessions = sessions
        self._regeneration = regeneration

    def submit(self, body: ChatBody, request: TurnRequest, origin: Origin) -> Turn:
        """Accept the question, or its new version if the page has removed the last answer.

        Raises `SessionChanged` if the page does not show the last answer, or like `TurnStore.accept`.
        """
        last, earlier = self._last_two(request.session)
        shown = body.answer_ids
        if not last or (not shown and not body.message_id) or last in shown:
            return self._store.accept(request).turn
        if before := self._accepted_before(request):
            return before
        if body.message_id and earlier in {None, *shown}:
            key = request.idempotency_key and hashed(last, request.idempotency_key)
            changes = Changes(input=request.input, parts=request.parts, fork=Fork.NEVER)
            return self._regeneration.regenerate(last, changes, replace(origin, idempotency_key=key)).turn
        raise SessionChanged(CHANGED)

    def regenerate_turn(self, turn_id: str, session: str, origin: Origin) -> Turn:
        """Answer this turn of the session again. Raises like `Regeneration.regenerate`."""
        if self._store.get_turn(turn_id, tenant=origin.tenant).session != session:
            raise TurnNotFound
        return self._regenerate(turn_id, origin)

    def regenerate_last(self, body: ChatBody, request: TurnRequest, origin: Origin) -> Turn:
        """Answer the last question of the page again, or for the first time if its request or its turn has failed.

        The hook sends the same request for a new answer and for a retry. Raises like `submit`.
        """
        before = self._accepted_before(request)
        if before and before.status is not Status.COMPLETED:
            return self._ask_again(request, before)
        last, earlier = self._last_two(request.session)
        shown = body.answer_ids
        if not before and (not last or last in shown or not (shown or body.question_id == question_id(last))):
            return self._store.accept(request).turn
        if not last or last in shown or (shown and earlier not in {None, *shown}):
            raise SessionChanged(CHANGED)
        return self._regenerate(last, origin)

    def _accepted_before(self, request: TurnRequest) -> Turn | None:
        """Return the turn that this question has become already."""
        if not request.idempotency_key:
            return None
        try:
            return self._store.accept(replace(request, if_version=NO_VERSION)).turn
        except SessionChanged:
            return None

    def _ask_again(self, request: TurnRequest, turn: Turn) -> Turn:
        """Return the turn if it is live, otherwise one with the same question, once however often it is requested."""
        while turn.status.is_terminal:
            key = hashed(turn.id, request.idempotency_key or "")
            accepted = self._store.accept(replace(request, idempotency_key=key))
            turn = accepted.turn
            if not accepted.replayed or turn.status is Status.COMPLETED:
                break
        return turn

    def _regenerate(self, turn_id: str, origin: Origin) -> Turn:
        return self._regeneration.regenerate(turn_id, Changes(fork=Fork.NEVER), origin).turn

    def next_turn(self, session: str, tenant: str) -> Turn | None:
        """Return the turn that runs, or will run next; None if the session is idle or does not exist."""
        try:
            state = self._sessions.get_session(session)
            live = state.running or next(iter(state.queued), None)
            return self._store.get_turn(live, tenant=tenant) if live else None
        except (SessionNotFound, TurnNotFound, TurnExpired):
            return None

    def conversation(self, session: str, tenant: str) -> tuple[list[Message], Turn | None]:
        """Return the newest committed messages and the next turn, which is none of theirs."""
        while True:
            turn = self.next_turn(session, tenant)
            messages = self.messages(session)
            if not turn or all(message.turn_id != turn.id for message in messages):
                return messages, turn

    def messages(self, session: str, *, limit: int = MAX_SHOWN) -> list[Message]:
        """Return the newest committed messages, oldest first; none for a session that does not exist."""
        try:
            page = self._sessions.list_messages(session, after=None, limit=limit, newest_first=True)
        except SessionNotFound:
            return []
        return [*reversed(page.messages)]

    def _last_two(self, session: str) -> tuple[str | None, str | None]:
        """Return the ids of the last committed turn and of the one before it."""
        newest_first = reversed(self.messages(session, limit=COMPARED))
        last, earlier, *_ = [*dict.fromkeys(message.turn_id for message in newest_first if message.turn_id), None, None]
        return last, earlier
