"""The events of a session as server-sent events: those of all its turns, over one subscription.

A reader without a cursor begins with a snapshot. One with a cursor gets what it has missed, from the records and the
event streams of the turns, or a new snapshot if that is not known completely any more. The same happens when messages
may have been lost, so that a reader can reconnect to any process.
"""

import time
from collections.abc import Iterator

from turns.backend.pubsub import Subscriptions
from turns.domain.errors import SessionNotFound
from turns.domain.ids import tenant_of
from turns.session_stream.cursor import NEW_READER, StreamCursor
from turns.session_stream.store import WATCH_SECONDS, SessionStreamStore
from web.streaming.connections import Authenticate, StreamConnections
from web.streaming.rendering import EventRenderer
from web.streaming.session_reader import SessionReader

ANNOUNCE_SECONDS = WATCH_SECONDS / 3


class SessionStreams:
    def __init__(
        self,
        store: SessionStreamStore,
        renderer: EventRenderer,
        subscriptions: Subscriptions,
        connections: StreamConnections,
    ) -> None:
        self._store = store
        self._renderer = renderer
        self._subscriptions = subscriptions
        self._connections = connections
        self._announced_at = float("-inf")

    def open_stream(
        self, session: str, *, session_id: str, after: str | None, until_idle: bool, authenticate: Authenticate
    ) -> Iterator[bytes] | None:
        """Return the events after the id `after`, or from now on; None if `until_idle` and there are none.

        Raises `SessionNotFound` or `StreamsFull`.
        """
        cursor = StreamCursor.parse(after) if after else NEW_READER
        state = self._store.read_state(session, cursor)
        if state is None:
            raise SessionNotFound
        if until_idle and not state.live and (cursor is NEW_READER or self._store.read_missed(state, cursor) == []):
            return None
        reader = SessionReader(
            self._store, self._renderer, session, session_id=session_id, cursor=cursor, until_idle=until_idle
        )
        return self._connections.serve(self._stream(reader, authenticate), tenant=tenant_of(session))

    def _stream(self, reader: SessionReader, authenticate: Authenticate) -> Iterator[bytes]:
        self._announce()
        with self._subscriptions.watch_session(reader.session) as subscription:
            for event in self._connections.follow(subscription, authenticate, reader.handle):
                self._announce()
                yield event

    def _announce(self) -> None:
        """Let new turns be published; all readers of this process see to it, at their events and heartbeats."""
        if time.monotonic() - self._announced_at > ANNOUNCE_SECONDS:
            self._store.announce_reader()
            self._announced_at = time.monotonic()
