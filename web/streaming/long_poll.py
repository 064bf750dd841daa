"""Long polls: many requests of one process wait for turns to end, and one subscription wakes them."""

import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

from turns.backend.pubsub import Subscriptions
from turns.domain.turn import Turn
from web.streaming.fair_limit import FairLimit
from web.streaming.single_flight import SingleFlight

MAX_KNOWN_TURNS = 10_000  # the newest; about 2 MB


class GetEndedTurn(Protocol):
    """`TurnStore.get_ended_turn`."""

    def __call__(self, turn_id: str, *, tenant: str) -> Turn | None: ...


class LongPolls:
    """Wait for turns to end.

    A completion message carries only the id of the turn, which is then read. If a message is lost, the turn is read
    when the wait times out. A turn that this process has accepted and whose end it has not received is not read before
    the wait, which saves one of two reads (3 % of a polled turn).
    """

    def __init__(
        self, get_ended_turn: GetEndedTurn, reads: SingleFlight, subscriptions: Subscriptions, *, max_waiters: int
    ) -> None:
        self._get_ended_turn = get_ended_turn
        self._reads = reads
        self._subscriptions = subscriptions
        self._limit = FairLimit(max_waiters)
        self._is_draining = False
        self._waiters: dict[str, set[threading.Event]] = defaultdict(set)
        self._known: OrderedDict[str, str | None] = OrderedDict()  # turn id → its tenant, or None if it has ended

    def start(self) -> None:
        """Start the thread that receives completion messages."""
        threading.Thread(target=self._receive, name="long-polls", daemon=True).start()

    def drain(self) -> None:
        """Answer all waiting requests now, and later ones without a wait."""
        self._is_draining = True
        self._wake(self._waiters.values())

    def remember_accepted(self, turn: Turn) -> None:
        """Remember that the turn is live, unless its end was received before this call."""
        if turn.id not in self._known:
            self._remember(turn.id, turn.tenant)

    def wait_for_turn(self, turn_id: str, *, tenant: str, wait_seconds: float) -> Turn:
        """Return the turn when it has ended or the time is over. Raises like `TurnStore.get_turn`."""
        if wait_seconds <= 0 or not self._limit.has_room(tenant):
            return self._reads.get_turn(turn_id, tenant=tenant)
        deadline = time.monotonic() + wait_seconds
        # Watched before the first check, so that an end right after it is not missed.
        with self._limit.hold(tenant), self._watch(turn_id) as woken:
            if self._known.get(turn_id) != tenant and (turn := self._get_ended_turn(turn_id, tenant=tenant)):
                return turn
            while not self._is_draining and woken.wait(deadline - time.monotonic()):
                woken.clear()
                turn = self._reads.get_turn(turn_id, tenant=tenant)
                if turn.status.is_terminal:
                    return turn
        self._known.pop(turn_id, None)  # its message may be lost, so the next wait begins with a read
        return self._reads.get_turn(turn_id, tenant=tenant)

    @contextmanager
    def _watch(self, turn_id: str) -> Iterator[threading.Event]:
        """Yield an event that is set when the turn ends, or may have ended."""
        woken = threading.Event()
        self._waiters[turn_id].add(woken)
        try:
            yield woken
        finally:
            self._waiters[turn_id].discard(woken)
            if not self._waiters[turn_id]:
                del self._waiters[turn_id]

    def _receive(self) -> None:
        for turn_id in self._subscriptions.ended_turns():
            if turn_id is None:  # messages may have been lost
                self._known.clear()
                self._wake(self._waiters.values())
                continue
            self._remember(turn_id, None)
            if waiters := self._waiters.get(turn_id):
                self._wake([waiters])

    def _remember(self, turn_id: str, tenant: str | None) -> None:
        self._known[turn_id] = tenant
        if len(self._known) > MAX_KNOWN_TURNS:
            self._known.popitem(last=False)

    def _wake(self, groups: Iterable[set[threading.Event]]) -> None:
        # Copied first, because a woken greenlet may change the sets.
        for woken in [woken for group in list(groups) for woken in group]:
            woken.set()
