"""Chats as sessions: accept the question of a page, and find the turn whose answer comes next."""

import hashlib
from dataclasses import replace

from turns.domain.errors import SessionChanged, SessionNotFound, TurnExpired, TurnNotFound
from turns.domain.ids import is_turn_id
from turns.domain.messages import Message
from turns.domain.turn import Turn, TurnRequest
from turns.edits.regeneration import Changes, Fork, Origin, Regeneration
from turns.store.sessions import SessionStore
from turns.store.turns import TurnStore
from web.surfaces.ai_sdk.requests import ChatBody

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
        last, *earlier = [*self._committed_turns(request.session), None, None][:2]
        shown = body.answer_ids
        if not last or (not shown and not body.message_id) or last in shown:
            return self._store.accept(request).turn
        if body.message_id and earlier[0] in {None, *shown}:
            return self._regeneration.regenerate(last, Changes(input=request.input, fork=Fork.NEVER), origin).turn
        try:
            return self._store.accept(replace(request, if_version=NO_VERSION)).turn  # unless it was accepted before
        except SessionChanged:
            raise SessionChanged(CHANGED) from None

    def regenerate(self, body: ChatBody, session: str, origin: Origin) -> Turn:
        """Answer a turn of the session again, or its last one. Raises like `Regeneration.regenerate`."""
        named = body.message_id or ""
        turn_id = named if is_turn_id(named) else next(iter(self._committed_turns(session)), None)
        if turn_id is None or self._store.get_turn(turn_id, tenant=origin.tenant).session != session:
            raise TurnNotFound
        return self._regeneration.regenerate(turn_id, Changes(fork=Fork.NEVER), origin).turn

    def next_turn(self, session: str, tenant: str) -> Turn | None:
        """Return the turn that runs, or will run next; None if the session is idle or does not exist."""
        try:
            state = self._sessions.get_session(session)
            live = state.running or next(iter(state.queued), None)
            return self._store.get_turn(live, tenant=tenant) if live else None
        except (SessionNotFound, TurnNotFound, TurnExpired):
            return None

    def messages(self, session: str, *, limit: int = MAX_SHOWN) -> list[Message]:
        """Return the newest committed messages, oldest first; none for a session that does not exist."""
        try:
            page = self._sessions.list_messages(session, after=None, limit=limit, newest_first=True)
        except SessionNotFound:
            return []
        return [*reversed(page.messages)]

    def _committed_turns(self, session: str) -> list[str]:
        """Return the ids of the last committed turns, newest first."""
        newest_first = reversed(self.messages(session, limit=COMPARED))
        return list(dict.fromkeys(message.turn_id for message in newest_first if message.turn_id))


def idempotency_key(chat_id: str, message_id: str, text: str) -> str | None:
    """Return the key of a question: its message id, which the page has made up; None without one."""
    if not message_id:
        return None
    return "ai-sdk:" + hashlib.sha256("\n".join((chat_id, message_id, text)).encode()).hexdigest()
