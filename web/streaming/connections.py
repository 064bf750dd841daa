"""What all event streams of a process share: their limit, heartbeats, the check of the API key, and the drain."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager

from turns.access.api_keys import KEY_CACHE_SECONDS
from turns.backend.pubsub import Message, Subscription, Subscriptions
from turns.config.logs import Log, get_logger
from turns.domain.errors import StoreUnavailable, StreamsFull, Unauthenticated
from web.streaming.fair_limit import FairLimit

KEEP_ALIVE_SECONDS = 15.0  # a stream without events checks the API key at this interval, too
KEEP_ALIVE = b": still here\n\n"
RETRY = b"retry: 1000\n\n"  # a browser reconnects one second after its connection broke

Authenticate = Callable[[], object]  # raises `Unauthenticated` when the reader's API key is no longer valid
Handle = Callable[[Message], Generator[bytes, None, bool]]  # returns whether the stream is over


class StreamConnections:
    def __init__(self, subscriptions: Subscriptions, *, max_streams: int) -> None:
        self._subscriptions = subscriptions
        self._limit = FairLimit(max_streams)
        self.is_draining = False

    def drain(self) -> None:
        """End all streams; their readers reconnect to another process and continue at their cursors."""
        self.is_draining = True
        self._subscriptions.resync()

    def has_room(self, tenant: str) -> bool:
        """Return whether the tenant may open one more stream now."""
        return self._limit.has_room(tenant)

    def hold(self, tenant: str) -> AbstractContextManager[None]:
        """Count a response that waits as a stream of the tenant."""
        return self._limit.hold(tenant)

    def serve(self, events: Iterator[bytes], *, tenant: str) -> Iterator[bytes]:
        """Return the events of one stream of the tenant. Raises `StreamsFull` beyond the limit."""
        if not self._limit.has_room(tenant):
            raise StreamsFull
        return self._serve(events, tenant)

    def _serve(self, events: Iterator[bytes], tenant: str) -> Iterator[bytes]:
        try:
            with self._limit.hold(tenant):
                yield RETRY + next(events, b"")
                yield from events
        except Unauthenticated:
            return
        except StoreUnavailable as error:  # the stream ends, and the reader reconnects
            get_logger().warning(Log.STORE_UNAVAILABLE, error=str(error))

    def follow(self, subscription: Subscription, authenticate: Authenticate, handle: Handle) -> Iterator[bytes]:
        """Yield what `handle` yields for each message, and heartbeats, until it returns true or this process drains."""
        authenticated_at = time.monotonic()
        while not self.is_draining:
            if time.monotonic() - authenticated_at > KEY_CACHE_SECONDS:
                authenticate()
                authenticated_at = time.monotonic()
            try:
                message = subscription.get(seconds=KEEP_ALIVE_SECONDS)
            except TimeoutError:
                yield KEEP_ALIVE
                continue
            if (yield from handle(message)):
                return
