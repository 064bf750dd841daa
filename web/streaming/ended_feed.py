"""The feed of a tenant's ended turns: pages that can wait for the next turn, and an endless stream.

The message of each ended turn wakes the readers, which then read the index. Turns that end shortly after each other are
read together, so a busy service is read at most five times a second for each reader.
"""

import time
from collections.abc import Generator, Iterator
from dataclasses import replace

from turns.backend.pubsub import Message, Subscription, Subscriptions
from turns.domain.turn import Turn
from turns.ended_turns.feed import EndedPage, EndedTurns
from web.schemas.events.feed import GapEvent
from web.schemas.events.turn import DoneEvent
from web.streaming.connections import Authenticate, StreamConnections
from web.streaming.rendering import render_event

SETTLE_SECONDS = 0.2  # also longer than the millisecond that a page leaves out
STREAM_PAGE = 100


class EndedFeed:
    def __init__(self, store: EndedTurns, subscriptions: Subscriptions, connections: StreamConnections) -> None:
        self._store = store
        self._subscriptions = subscriptions
        self._connections = connections

    def now(self, *, tenant: str) -> int:
        """Return the cursor behind all turns of the tenant that have ended."""
        return self._store.now(tenant=tenant)

    def read(self, *, tenant: str, after: int | None, limit: int, wait_seconds: float) -> EndedPage:
        """Return the turns that ended after the cursor; an empty page only after the wait, or if it cannot wait."""
        page = self._store.read(tenant=tenant, after=after, limit=limit)
        if wait_seconds <= 0 or _has_news(page) or not self._connections.has_room(tenant):
            return page
        deadline = time.monotonic() + wait_seconds
        with self._connections.hold(tenant), self._subscriptions.watch_ends() as subscription:
            while not self._connections.is_draining and _waits(subscription, deadline):
                newer = self._store.read(tenant=tenant, after=page.after, limit=limit)
                page = replace(newer, has_gap=page.has_gap)
                if _has_news(page):
                    break
        return page

    def open_stream(self, *, tenant: str, after: int | None, authenticate: Authenticate) -> Iterator[bytes]:
        """Return the ends of turns after the cursor, endlessly. Raises `StreamsFull`."""
        return self._connections.serve(self._stream(tenant, after, authenticate), tenant=tenant)

    def _stream(self, tenant: str, after: int | None, authenticate: Authenticate) -> Iterator[bytes]:
        cursor = after
        with self._subscriptions.watch_ends() as subscription:

            def handle(_: Message) -> Generator[bytes, None, bool]:
                nonlocal cursor
                time.sleep(SETTLE_SECONDS)
                subscription.clear()
                has_more = True
                while has_more and not self._connections.is_draining:
                    page = self._store.read(tenant=tenant, after=cursor, limit=STREAM_PAGE)
                    yield from _events(page)
                    cursor, has_more = page.after, page.has_more
                return False

            yield from self._connections.follow(subscription, authenticate, handle)


def _has_news(page: EndedPage) -> bool:
    return bool(page.turns) or page.has_more


def _waits(subscription: Subscription, deadline: float) -> bool:
    """Wait for the end of any turn; return false if the time is over."""
    try:
        subscription.get(seconds=max(0.0, deadline - time.monotonic()))
    except TimeoutError:
        return False
    time.sleep(SETTLE_SECONDS)
    subscription.clear()
    return True


def _events(page: EndedPage) -> Iterator[bytes]:
    """Yield the turns as events. Those that end with a millisecond have an id, after which a reader can continue."""
    if page.has_gap:
        yield render_event("gap", GapEvent())
    for turn, following in zip(page.turns, (*page.turns[1:], None), strict=True):
        is_last = following is None or following.finished_at != turn.finished_at
        yield render_event("done", _done(turn), event_id=str(turn.finished_at) if is_last else "")


def _done(turn: Turn) -> DoneEvent:
    return DoneEvent.model_validate({"turn_id": turn.id, "attempt": turn.attempt, "turn": turn})
