"""Server-sent events: a turn's answer while it is being written, from any position.

All events are entries of the turn's stream in the store, or follow from the record of a turn that has ended. A
subscription delivers each new entry when it is appended; if messages may have been lost, the entries after the reader's
cursor are read from the store. A reader can therefore reconnect to any process.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import partial

from turns.backend.pubsub import Message, Subscriptions
from turns.domain.events import START, EventType, TurnEvent, event_sort_key
from turns.domain.state import Event
from turns.domain.turn import Turn, Waiting
from turns.store.event_stream.missed_events import read_last_event_id, read_missed_events
from turns.store.turns import TurnStore
from web.schemas.events.turn import ResetEvent
from web.streaming.connections import Authenticate, StreamConnections
from web.streaming.rendering import EventRenderer, render_event, render_status
from web.streaming.single_flight import SingleFlight


@dataclass
class Cursor:
    """The last event that was sent to a reader, and what the turn waited for when that was last sent."""

    event_id: str
    waiting: Waiting | None

    def is_before(self, event: TurnEvent) -> bool:
        return event_sort_key(event.id) > event_sort_key(self.event_id)


class EventStreams:
    def __init__(
        self, store: TurnStore, reads: SingleFlight, subscriptions: Subscriptions, connections: StreamConnections
    ) -> None:
        self._store = store
        self._reads = reads
        self._renderer = EventRenderer(reads)
        self._subscriptions = subscriptions
        self._connections = connections

    def open_stream(
        self, turn_id: str, *, tenant: str, after: str | None, authenticate: Authenticate
    ) -> Iterator[bytes] | None:
        """Return the events after the id `after`, until the turn has ended; None if there are none left.

        Raises `StreamsFull`, or like `TurnStore.get_turn`.
        """
        turn = self._reads.get_turn(turn_id, tenant=tenant)
        if turn.status.is_terminal and after is not None and not self._missed_events(turn, after)[0]:
            return None
        events = self._stream(turn, Cursor(after or START, turn.waiting), authenticate)
        return self._connections.serve(events, tenant=turn.tenant)

    def _stream(self, turn: Turn, cursor: Cursor, authenticate: Authenticate) -> Iterator[bytes]:
        yield render_status(turn)
        if self._is_beyond_the_end(turn, cursor):
            cursor.event_id = START
            reset = ResetEvent(turn_id=turn.id, attempt=turn.attempt, reason=Event.RESCUE)
            yield render_event("reset", reset)
        with self._subscriptions.watch_turn(turn) as subscription:
            yield from self._connections.follow(subscription, authenticate, partial(self._handle, turn, cursor))

    def _is_beyond_the_end(self, turn: Turn, cursor: Cursor) -> bool:
        """Return whether the cursor is after the last event: the store lost events, or the id is invented."""
        if cursor.event_id == START:
            return False
        last = read_last_event_id(self._store, turn, partial(self._renderer.current, turn))
        return event_sort_key(cursor.event_id) > event_sort_key(last)

    def _handle(self, turn: Turn, cursor: Cursor, message: Message) -> Generator[bytes, None, bool]:
        """Yield the events of a message; return whether the turn has ended."""
        if message == b"":
            yield from self._position_events(turn, cursor)
            return False
        events, has_ended = self._new_events(turn, message, cursor)
        for event in events:
            cursor.event_id = event.id
            yield self._renderer.render(turn, event, event_id=event.id)
            if event.type is EventType.DONE:
                return True
        if has_ended:  # and its events are no longer kept
            yield self._renderer.render_done(turn, turn.attempt)
        return has_ended

    def _new_events(self, turn: Turn, message: Message, cursor: Cursor) -> tuple[list[TurnEvent], bool]:
        """Return the events after the cursor, and whether the turn has ended.

        They are in the message or, if messages may be lost, in the store.
        """
        if message is None:
            return self._missed_events(turn, cursor.event_id)
        event = TurnEvent.from_message(message)
        return [event] if event and cursor.is_before(event) else [], False

    def _missed_events(self, turn: Turn, after: str) -> tuple[list[TurnEvent], bool]:
        return read_missed_events(self._store, turn, partial(self._renderer.current, turn), after=after)

    def _position_events(self, turn: Turn, cursor: Cursor) -> Iterator[bytes]:
        """Yield the new position of a turn if an earlier turn of its session has ended."""
        current = self._renderer.current(turn)
        if current and current.waiting and current.waiting != cursor.waiting:
            cursor.waiting = current.waiting
            yield render_status(current)
