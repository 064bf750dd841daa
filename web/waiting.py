"""Long-polls: many callers wait in one process for turns to end; one subscription wakes them."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from turns.feed import Feed
from turns.turn import Turn
from web.live_turns import LiveTurns
from web.shared_reads import SharedReads


class Waiters:
    """The wake-up is only a hint: who is woken reads the record, and a lost one costs the rest of the wait."""

    def __init__(self, reads: SharedReads, live: LiveTurns, feed: Feed, *, most: int) -> None:
        self._reads = reads
        self._live = live
        self._feed = feed
        self._most = most
        self._count = 0
        self._is_draining = False
        self._waiting: dict[str, set[threading.Event]] = defaultdict(set)

    def start(self) -> None:
        threading.Thread(target=self._listen, name="ended", daemon=True).start()

    def drain(self) -> None:
        """Nobody waits here any more; who does is answered with the turn as it is."""
        self._is_draining = True
        self._wake(self._waiting.values())

    def read(self, turn_id: str, *, tenant: str, wait_seconds: float) -> Turn:
        """The turn, once it has ended or the time is over. Raises like `TurnStore.read`."""
        if wait_seconds <= 0 or self._count >= self._most:
            return self._reads.read(turn_id, tenant=tenant)
        until = time.monotonic() + wait_seconds
        with self._watch(turn_id) as woken:  # watch first, read then: an end between the two is not missed
            if self._live.has(turn_id, tenant=tenant) and not self._is_draining:
                woken.wait(wait_seconds)
            while True:
                woken.clear()
                turn = self._reads.read(turn_id, tenant=tenant)
                left = until - time.monotonic()
                if turn.status.is_terminal or left <= 0 or self._is_draining:
                    return turn
                woken.wait(left)

    @contextmanager
    def _watch(self, turn_id: str) -> Iterator[threading.Event]:
        woken = threading.Event()
        self._count += 1
        self._waiting[turn_id].add(woken)
        try:
            yield woken
        finally:
            self._count -= 1
            self._waiting[turn_id].discard(woken)
            if not self._waiting[turn_id]:
                del self._waiting[turn_id]

    def _listen(self) -> None:
        for turn_id in self._feed.ended():
            if turn_id is None:
                self._live.forget_all()
                self._wake(self._waiting.values())
            else:
                self._live.forget(turn_id)
                self._wake([self._waiting.get(turn_id, set())])

    def _wake(self, groups: Iterable[set[threading.Event]]) -> None:
        for woken in [woken for group in list(groups) for woken in group]:
            woken.set()
