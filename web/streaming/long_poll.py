"""Long-polls: many callers wait in one process for turns to end; one subscription wakes them."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from turns.backend.pubsub import Subscriptions
from turns.domain.turn import Turn
from web.streaming.live_turns import LiveTurns
from web.streaming.single_flight import SingleFlight


class Waiter:
    def __init__(self) -> None:
        self._woken = threading.Event()
        self._ended: Turn | None = None

    def wake(self, ended: Turn | None) -> None:
        self._ended = ended
        self._woken.set()

    def wait(self, seconds: float) -> Turn | None:
        """The turn if it has ended; None where that must be looked at, and when the time is over."""
        self._woken.wait(max(0.0, seconds))
        return self._ended

    def clear(self) -> None:
        self._woken.clear()


class LongPolls:
    """The word that a turn has ended brings the turn. A lost one costs the rest of the wait; then the turn is read."""

    def __init__(self, reads: SingleFlight, live: LiveTurns, subscriptions: Subscriptions, *, most: int) -> None:
        self._reads = reads
        self._live = live
        self._feed = subscriptions
        self._most = most
        self._count = 0
        self._is_draining = False
        self._waiting: dict[str, set[Waiter]] = defaultdict(set)

    def start(self) -> None:
        threading.Thread(target=self._listen, name="ended", daemon=True).start()

    def drain(self) -> None:
        """Nobody waits here any more; who does is answered with the turn as it is."""
        self._is_draining = True
        self._wake(self._waiting.values())

    def wait_for_turn(self, turn_id: str, *, tenant: str, wait_seconds: float) -> Turn:
        """The turn, once it has ended or the time is over. Raises like `TurnStore.read`."""
        if wait_seconds <= 0 or self._count >= self._most:
            return self._reads.get_turn(turn_id, tenant=tenant)
        until = time.monotonic() + wait_seconds
        with self._watch(turn_id) as waiter:  # watch first, read then: an end between the two is not missed
            needs_look = self._is_draining or not self._live.has(turn_id, tenant=tenant)
            while needs_look or not (ended := waiter.wait(until - time.monotonic())):
                waiter.clear()
                turn = self._reads.get_turn(turn_id, tenant=tenant)
                if turn.status.is_terminal or time.monotonic() >= until or self._is_draining:
                    return turn
                needs_look = False
            return ended

    @contextmanager
    def _watch(self, turn_id: str) -> Iterator[Waiter]:
        waiter = Waiter()
        self._count += 1
        self._waiting[turn_id].add(waiter)
        try:
            yield waiter
        finally:
            self._count -= 1
            self._waiting[turn_id].discard(waiter)
            if not self._waiting[turn_id]:
                del self._waiting[turn_id]

    def _listen(self) -> None:
        for ended in self._feed.ended():
            if ended is None:
                self._live.forget_all()
                self._wake(self._waiting.values())
            else:
                self._live.forget(ended.turn_id)
                if waiting := self._waiting.get(ended.turn_id):
                    self._wake([waiting], ended.turn())

    def _wake(self, groups: Iterable[set[Waiter]], turn: Turn | None = None) -> None:
        for waiter in [waiter for group in list(groups) for waiter in group]:
            waiter.wake(turn)
