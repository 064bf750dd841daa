"""One reader of a session's events: what it has seen, and what each message brings."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace

from turns.backend.pubsub import Message
from turns.domain.events import EventType, SessionChange, SessionMessage, TurnEvent
from turns.domain.ids import tenant_of
from turns.domain.turn import Turn, Waiting
from turns.session_stream.cursor import END, NEW_READER, StreamCursor
from turns.session_stream.store import MissedTurn, SessionStreamStore, StreamState
from web.schemas.events.session import (
    AcceptedEvent,
    ErasedEvent,
    MessageDeletedEvent,
    QueueEvent,
    SnapshotEvent,
    UpdatedEvent,
)
from web.streaming.rendering import EventRenderer, render_event

Positions = tuple[tuple[str, Waiting | None], ...]
Events = Generator[bytes, None, bool]  # returns whether the stream is over


class SessionReader:
    """An event has an id if the reader can continue after it.

    The end of a turn that did not run has none while an earlier turn is live, so it is sent again after a reconnection.
    """

    def __init__(
        self,
        store: SessionStreamStore,
        renderer: EventRenderer,
        session: str,
        *,
        session_id: str,
        cursor: StreamCursor,
        until_idle: bool,
    ) -> None:
        self._store = store
        self._renderer = renderer
        self.session = session
        self._session_id = session_id
        self._cursor = cursor
        self._until_idle = until_idle
        self._live: dict[str, Turn] = {}  # as they were first seen, by id
        self._ended: dict[str, int] = {}  # turns after the cursor whose end was sent, with their sequence numbers
        self._positions: Positions = ()

    def handle(self, message: Message) -> Events:
        """Yield the events of a message; return whether the stream is over."""
        if message is None:
            return (yield from self._catch_up())
        if message == b"":
            yield from self._queue_events(self._store.read_state(self.session))
            return False
        given = SessionMessage.from_message(message)
        return (yield from self._turn_event(given) if given.change is None else self._change(given))

    def _change(self, given: SessionMessage) -> Events:
        match given.change:
            case SessionChange.ACCEPTED:
                return (yield from self._accept(given))
            case SessionChange.MESSAGE_DELETED:
                return (yield from self._delete(given))
            case SessionChange.UPDATED:
                return (yield from self._update(given))
            case _:
                return (yield from self._erase())

    def _catch_up(self) -> Events:
        """Yield all that the reader does not know yet."""
        state = self._store.read_state(self.session, self._cursor)
        if state is None:
            return (yield from self._erase())
        missed = self._store.read_missed(state, self._cursor)
        if missed is None:
            return (yield from self._begin())
        self._live.clear()
        for turn in state.turns:
            if turn.sequence > self._cursor.known:
                yield self._acceptance(turn)
        for one in missed:
            yield from self._missed_turn(one)
        yield from self._queue_events(state)
        return self._is_over

    def _begin(self) -> Events:
        """Yield a snapshot."""
        start = self._store.begin(self.session)
        if start is None:
            return (yield from self._erase())
        state = start.state
        reason = "opened" if self._cursor is NEW_READER else "events_gone"
        self._cursor = start.cursor
        self._live = {turn.id: turn for turn in state.live}
        self._ended.clear()
        self._positions = _positions(state.live)
        fields = {
            "reason": reason,
            "session": state.session,
            "turns": state.live,
            "text": start.text,
            "parts": start.parts,
        }
        yield render_event("snapshot", SnapshotEvent.model_validate(fields), event_id=str(self._cursor))
        return self._is_over

    def _missed_turn(self, missed: MissedTurn) -> Iterator[bytes]:
        turn = missed.turn
        if turn.id in self._ended:
            return
        self._live[turn.id] = turn
        for event in missed.events:
            yield from self._event(turn, event)
        if turn.status.is_terminal and turn.id in self._live:  # its end was its only event, and is no longer kept
            yield self._renderer.render_done(turn, turn.attempt, event_id=self._end(turn))

    def _accept(self, given: SessionMessage) -> Events:
        if given.number > self._cursor.known + 1:  # a message was lost
            return (yield from self._catch_up())
        turn = self._renderer.find(given.turn_id, tenant=tenant_of(self.session))
        if turn and given.number > self._cursor.known:
            self._live[turn.id] = turn
            yield self._acceptance(turn)
        return False

    def _turn_event(self, given: SessionMessage) -> Events:
        if given.number > self._cursor.known:  # the message of its acceptance was lost
            return (yield from self._catch_up())
        turn = self._live.get(given.turn_id)
        if turn and given.event:
            yield from self._event(turn, given.event)
        return self._is_over

    def _event(self, turn: Turn, event: TurnEvent) -> Iterator[bytes]:
        """Yield an event of a live turn, unless the reader has seen it."""
        if self._cursor.has_seen(turn.id, event):
            return
        if event.type is EventType.DONE:
            event_id = self._end(turn)
        else:
            self._cursor = replace(self._cursor, turn_id=turn.id, entry_id=event.id)
            event_id = str(self._cursor)
        yield self._renderer.render(turn, event, event_id=event_id)

    def _end(self, turn: Turn) -> str:
        """Forget a live turn that has ended; return the id of that event, '' if an earlier turn is live."""
        del self._live[turn.id]
        self._ended[turn.id] = turn.sequence
        if any(other.sequence < turn.sequence for other in self._live.values()):
            return ""
        first_live = min((other.sequence for other in self._live.values()), default=float("inf"))
        passed = [ended for ended, sequence in self._ended.items() if sequence < first_live]
        self._cursor = replace(self._cursor, turn_id=max(passed, key=self._ended.__getitem__), entry_id=END)
        for ended in passed:
            del self._ended[ended]
        return str(self._cursor)

    def _acceptance(self, turn: Turn) -> bytes:
        self._cursor = replace(self._cursor, known=turn.sequence)
        accepted = AcceptedEvent.model_validate({"turn_id": turn.id, "turn": turn})
        return render_event(SessionChange.ACCEPTED, accepted, event_id=str(self._cursor))

    def _queue_events(self, state: StreamState | None) -> Iterator[bytes]:
        """Yield the positions of the live turns if they have changed."""
        live = [turn for turn in state.live if turn.id in self._live] if state else []
        positions = _positions(live)
        if positions != self._positions:
            self._positions = positions
            yield render_event("queue", QueueEvent.model_validate({"turns": live}))

    def _delete(self, given: SessionMessage) -> Events:
        if given.number > self._cursor.changes:
            self._cursor = replace(self._cursor, changes=given.number)
            deletion = MessageDeletedEvent(turn_id=given.turn_id)
            yield render_event(SessionChange.MESSAGE_DELETED, deletion, event_id=str(self._cursor))
        return False

    def _update(self, given: SessionMessage) -> Events:
        if given.number <= self._cursor.changes:
            return False
        state = self._store.read_state(self.session)
        if state is None:
            return (yield from self._erase())
        self._cursor = replace(self._cursor, changes=given.number)
        updated = UpdatedEvent.model_validate({"session": state.session})
        yield render_event(SessionChange.UPDATED, updated, event_id=str(self._cursor))
        return False

    def _erase(self) -> Events:
        yield render_event(SessionChange.ERASED, ErasedEvent(session_id=self._session_id))
        return True

    @property
    def _is_over(self) -> bool:
        return self._until_idle and not self._live


def _positions(live: Sequence[Turn]) -> Positions:
    return tuple((turn.id, turn.waiting) for turn in live)
