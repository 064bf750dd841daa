"""Server-sent events: a turn's answer while it is being written, from any position.

All events are entries of the turn's stream in the store. A subscription delivers each new entry when it is appended; if
messages may have been lost, the entries after the reader's cursor are read from the store. A reader can therefore
reconnect to any process.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pydantic import BaseModel

from turns.access.api_keys import KEY_CACHE_SECONDS
from turns.backend.pubsub import Message, Subscriptions
from turns.config.logs import Log, get_logger
from turns.domain.errors import StoreUnavailable, StreamsFull, TurnExpired, TurnNotFound, Unauthenticated
from turns.domain.events import START, EventType, TurnEvent, event_sort_key
from turns.domain.state import Event, Status
from turns.domain.turn import Turn, Waiting
from turns.store.turns import TurnStore
from web.schemas import responses
from web.schemas.output_events import to_output_event
from web.streaming.fair_limit import FairLimit
from web.streaming.single_flight import SingleFlight

KEEP_ALIVE_SECONDS = 15.0  # a stream without events checks the API key at this interval, too
KEEP_ALIVE = b": still here\n\n"
RETRY = b"retry: 1000\n\n"  # a browser reconnects one second after its connection broke


@dataclass
class Cursor:
    """The last event that was sent to a reader, and what the turn waited for when that was last sent."""

    event_id: str
    waiting: Waiting | None

    def is_before(self, event: TurnEvent) -> bool:
        return event_sort_key(event.id) > event_sort_key(self.event_id)


class EventStreams:
    def __init__(
        self, store: TurnStore, reads: SingleFlight, subscriptions: Subscriptions, *, max_streams: int
    ) -> None:
        self._store = store
        self._reads = reads
        self._subscriptions = subscriptions
        self._limit = FairLimit(max_streams)
        self._is_draining = False

    def drain(self) -> None:
        """End all streams; their readers reconnect to another process and continue at their cursors."""
        self._is_draining = True
        self._subscriptions.resync()

    def open_stream(
        self, turn_id: str, *, tenant: str, after: str | None, authenticate: Callable[[], object]
    ) -> Iterator[bytes] | None:
        """Return the events after the id `after`, until the turn has ended; None if there are none left.

        `authenticate` raises `Unauthenticated` when the reader's API key is no longer valid. Raises `StreamsFull`, or
        like `TurnStore.get_turn`.
        """
        turn = self._reads.get_turn(turn_id, tenant=tenant)
        if turn.status.is_terminal and after is not None and not self._store.read_events(turn_id, after=after):
            return None
        if not self._limit.has_room(tenant):
            raise StreamsFull
        return self._stream(turn, Cursor(after or START, turn.waiting), authenticate)

    def _stream(self, turn: Turn, cursor: Cursor, authenticate: Callable[[], object]) -> Iterator[bytes]:
        try:
            with self._limit.hold(turn.tenant):
                yield RETRY + _status_event(turn)
                if self._is_beyond_the_end(turn, cursor):
                    cursor.event_id = START
                    reset = responses.ResetEvent(turn_id=turn.id, attempt=turn.attempt, reason=Event.RESCUE)
                    yield _event("reset", reset)
                yield from self._follow(turn, cursor, authenticate)
        except Unauthenticated:
            return
        except StoreUnavailable as error:  # the stream ends, and the reader reconnects
            get_logger().warning(Log.STORE_UNAVAILABLE, error=str(error))

    def _is_beyond_the_end(self, turn: Turn, cursor: Cursor) -> bool:
        """Return whether the cursor is after the last event: the store lost events, or the id is invented."""
        last = START if cursor.event_id == START else self._store.last_event_id(turn.id)
        return event_sort_key(cursor.event_id) > event_sort_key(last)

    def _follow(self, turn: Turn, cursor: Cursor, authenticate: Callable[[], object]) -> Iterator[bytes]:
        authenticated_at = time.monotonic()
        with self._subscriptions.watch_turn(turn) as subscription:
            while not self._is_draining:
                if time.monotonic() - authenticated_at > KEY_CACHE_SECONDS:
                    authenticate()
                    authenticated_at = time.monotonic()
                try:
                    message = subscription.get(seconds=KEEP_ALIVE_SECONDS)
                except TimeoutError:
                    yield KEEP_ALIVE
                    continue
                if message == b"":
                    yield from self._position_events(turn, cursor)
                    continue
                # Checked before the stream is read: if the turn ends after the check, the stream contains its end.
                has_ended = message is None and self._has_ended(turn)
                for event in self._new_events(turn.id, message, cursor):
                    cursor.event_id = event.id
                    yield self._render(turn, event)
                    if event.type is EventType.DONE:
                        return
                if has_ended:  # and its events are no longer kept
                    yield _event("done", self._done_event(turn, turn.attempt))
                    return

    def _new_events(self, turn_id: str, message: Message, cursor: Cursor) -> list[TurnEvent]:
        """Return the events after the cursor: from the message, or from the store if messages may be lost."""
        if message is None:
            return self._store.read_events(turn_id, after=cursor.event_id)
        event = TurnEvent.from_message(message)
        return [event] if event and cursor.is_before(event) else []

    def _position_events(self, turn: Turn, cursor: Cursor) -> Iterator[bytes]:
        """Yield the new position of a turn if an earlier turn of its session has ended."""
        current = self._current(turn)
        if current and current.waiting and current.waiting != cursor.waiting:
            cursor.waiting = current.waiting
            yield _status_event(current)

    def _render(self, turn: Turn, event: TurnEvent) -> bytes:
        data: BaseModel
        match event.type:
            case EventType.DELTA:
                data = responses.DeltaEvent(turn_id=turn.id, attempt=event.attempt, text=event.text)
            case EventType.REASONING | EventType.TOOL | EventType.DATA:
                data = to_output_event(turn.id, event)
            case EventType.RESET:
                data = responses.ResetEvent.model_validate(
                    {"turn_id": turn.id, "attempt": event.attempt, "reason": event.text}
                )
            case EventType.STATUS:
                current = self._current(turn)
                data = responses.StatusEvent(
                    turn_id=turn.id,
                    attempt=event.attempt,
                    status=Status(event.text),
                    queue=current.waiting if current else None,
                )
            case EventType.DONE:
                data = self._done_event(turn, event.attempt)
        return _event(event.type, data, event_id=event.id)

    def _done_event(self, turn: Turn, attempt: int) -> responses.DoneEvent:
        return responses.DoneEvent(turn_id=turn.id, attempt=attempt, turn=self._current(turn))

    def _has_ended(self, turn: Turn) -> bool:
        current = self._current(turn)
        return current is None or current.status.is_terminal

    def _current(self, turn: Turn) -> Turn | None:
        """Return the turn as it is now; None if its session was deleted."""
        try:
            return self._reads.get_turn(turn.id, tenant=turn.tenant)
        except (TurnNotFound, TurnExpired):
            return None


def _status_event(turn: Turn) -> bytes:
    """Render the status as an event without an id.

    It is not in the stream, so it must not move the reader's cursor.
    """
    status = responses.StatusEvent(turn_id=turn.id, attempt=turn.attempt, status=turn.status, queue=turn.waiting)
    return _event("status", status)


def _event(name: str, data: BaseModel, *, event_id: str = "") -> bytes:
    head = f"id: {event_id}\n" if event_id else ""
    return f"{head}event: {name}\ndata: {data.model_dump_json()}\n\n".encode()
