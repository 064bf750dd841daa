"""Watching an answer being written: server-sent events, from wherever the reader was.

What is told comes from the turn's event stream in the store. The feed brings each new entry as it is appended; where it
may have missed some, the entries after the last one told are read. So any process can go on where another one left off.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pydantic import BaseModel

from turns.backend.pubsub import Message, Subscriptions
from turns.config.logs import Log, get_logger
from turns.domain.errors import StoreUnavailable, StreamsFull, TurnExpired, TurnNotFound, Unauthenticated
from turns.domain.events import START, EventType, TurnEvent, event_sort_key
from turns.domain.state import Event, Status
from turns.domain.turn import Turn, Waiting
from turns.store.turns import TurnStore
from web.schemas import responses
from web.security.auth import KEY_CACHE_SECONDS
from web.streaming.single_flight import SingleFlight

KEEP_ALIVE_SECONDS = 15.0  # a silent reader's key, too, is looked at so often
KEEP_ALIVE = b": still here\n\n"
RETRY = b"retry: 1000\n\n"  # a browser whose connection broke comes again after a second


@dataclass
class Place:
    """How far a reader is: the last entry told, and what the turn waited for when that was last told."""

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
        self._feed = subscriptions
        self._max_streams = max_streams
        self._count = 0
        self._is_draining = False

    def drain(self) -> None:
        """Soon nobody reads here any more: readers come again, and go on where they were."""
        self._is_draining = True
        self._feed.resync()

    def open(
        self, turn_id: str, *, tenant: str, after: str | None, authenticate: Callable[[], object]
    ) -> Iterator[bytes] | None:
        """The turn's events beyond `after`, until it has ended; None when there can be none.

        `admit` raises `Unauthenticated` once the reader's key is good no more. Raises `StreamsFull`, or like
        `TurnStore.read`.
        """
        turn = self._reads.get_turn(turn_id, tenant=tenant)
        if turn.status.is_terminal and after is not None and not self._store.read_events(turn_id, after=after):
            return None
        if self._count >= self._max_streams:
            raise StreamsFull
        return self._tell(turn, Place(after or START, turn.waiting), authenticate)

    def _tell(self, turn: Turn, reader: Place, authenticate: Callable[[], object]) -> Iterator[bytes]:
        self._count += 1
        try:
            yield RETRY + _status(turn)
            if self._is_ahead(turn, reader):
                reader.event_id = START
                yield _event("reset", responses.ResetEvent(turn_id=turn.id, attempt=turn.attempt, reason=Event.RESCUE))
            yield from self._follow(turn, reader, authenticate)
        except Unauthenticated:
            return
        except StoreUnavailable as error:  # the reader comes again
            get_logger().warning(Log.STORE_UNAVAILABLE, error=str(error))
        finally:
            self._count -= 1

    def _is_ahead(self, turn: Turn, reader: Place) -> bool:
        """It has seen what a store that lost its last moments knows nothing of, or never was."""
        last = START if reader.event_id == START else self._store.last_event_id(turn.id)
        return event_sort_key(reader.event_id) > event_sort_key(last)

    def _follow(self, turn: Turn, reader: Place, authenticate: Callable[[], object]) -> Iterator[bytes]:
        admitted_at = time.monotonic()
        with self._feed.watch_turn(turn) as listener:
            while not self._is_draining:
                if time.monotonic() - admitted_at > KEY_CACHE_SECONDS:
                    authenticate()
                    admitted_at = time.monotonic()
                try:
                    message = listener.get(seconds=KEEP_ALIVE_SECONDS)
                except TimeoutError:
                    yield KEEP_ALIVE
                    continue
                if message == b"":
                    yield from self._moved(turn, reader)
                    continue
                # Asked before the stream is read: what ends after this stands in it.
                is_over = message is None and self._is_over(turn)
                for event in self._heard(turn.id, message, reader):
                    reader.event_id = event.id
                    yield self._render(turn, event)
                    if event.type is EventType.DONE:
                        return
                if is_over:
                    yield _event("done", self._done(turn, turn.attempt))  # its events are no longer kept
                    return

    def _heard(self, turn_id: str, message: Message, reader: Place) -> list[TurnEvent]:
        """What is new to the reader."""
        if message is None:
            return self._store.read_events(turn_id, after=reader.event_id)
        event = TurnEvent.from_message(message)
        return [event] if reader.is_before(event) else []

    def _moved(self, turn: Turn, reader: Place) -> Iterator[bytes]:
        """A turn before it in its session has ended."""
        now = self._now(turn)
        if now and now.waiting and now.waiting != reader.waiting:
            reader.waiting = now.waiting
            yield _status(now)

    def _render(self, turn: Turn, event: TurnEvent) -> bytes:
        said: BaseModel
        match event.type:
            case EventType.DELTA:
                said = responses.DeltaEvent(turn_id=turn.id, attempt=event.attempt, text=event.text)
            case EventType.RESET:
                said = responses.ResetEvent.model_validate(
                    {"turn_id": turn.id, "attempt": event.attempt, "reason": event.text}
                )
            case EventType.STATUS:
                now = self._now(turn)
                waiting = now.waiting if now else None
                said = responses.StatusEvent(
                    turn_id=turn.id, attempt=event.attempt, status=Status(event.text), queue=waiting
                )
            case EventType.DONE:
                said = self._done(turn, event.attempt)
        return _event(event.type, said, event_id=event.id)

    def _done(self, turn: Turn, attempt: int) -> responses.DoneEvent:
        now = self._now(turn)
        return responses.DoneEvent(turn_id=turn.id, attempt=attempt, turn=now)

    def _is_over(self, turn: Turn) -> bool:
        now = self._now(turn)
        return now is None or now.status.is_terminal

    def _now(self, turn: Turn) -> Turn | None:
        """None: it is gone, because its session was deleted."""
        try:
            return self._reads.get_turn(turn.id, tenant=turn.tenant)
        except (TurnNotFound, TurnExpired):
            return None


def _status(turn: Turn) -> bytes:
    """Without an id, because it is not in the stream: a reader's place stays what it was."""
    status = responses.StatusEvent(turn_id=turn.id, attempt=turn.attempt, status=turn.status, queue=turn.waiting)
    return _event("status", status)


def _event(name: str, said: BaseModel, *, event_id: str = "") -> bytes:
    head = f"id: {event_id}\n" if event_id else ""
    return f"{head}event: {name}\ndata: {said.model_dump_json()}\n\n".encode()
