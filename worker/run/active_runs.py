"""The turns that this process holds: their leases are kept, their time is watched, their runs can be stopped."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from turns.backend.script_replies import Reply
from turns.domain.error_codes import Code
from turns.domain.errors import LeaseLost, ModelError, ModelErrorKind
from turns.domain.turn import Claim
from turns.store.turns import TurnStore
from worker.run.interrupt import Interrupted, Interrupter

# So long after the last moment of its run may a turn still need its lease: a store that restarts takes seconds.
COMMIT_PATIENCE_SECONDS = 60.0


class Draining(Exception):
    """The worker must end and its time of grace is over: the turn is handed back."""


class Superseded(Exception):
    """A newer turn of the session interrupts this one: what it has said so far is kept."""


class ActiveRun:
    """A claim whose lease is being kept, and the run that it is kept for."""

    def __init__(self, claim: Claim, interrupter: Interrupter, *, total_seconds: float) -> None:
        self.claim = claim
        self.reason: Exception | None = None
        self._is_running = True
        self._interrupt = interrupter(lambda: self._is_running)
        self._ends_at = self._expected_at = time.monotonic() + total_seconds
        self._lateness = ModelErrorKind.HOPELESS

    @property
    def is_wanted(self) -> bool:
        """Even a process that hangs for ever keeps a lease no longer than this."""
        return time.monotonic() < self._ends_at + COMMIT_PATIENCE_SECONDS

    def expect(self, *, within_seconds: float, lateness: ModelErrorKind) -> None:
        """The model must say something in this time; `lateness` is what it means if it does not."""
        self._expected_at = time.monotonic() + within_seconds
        self._lateness = lateness

    def watch(self) -> None:
        """Stops the run if its model is late."""
        now = time.monotonic()
        if now > self._ends_at:
            self._stop_late(ModelErrorKind.HOPELESS, "the answer took too long")
        elif now > self._expected_at:
            self._stop_late(self._lateness, "the model was silent for too long")

    def stop(self, reason: Exception) -> None:
        """The run ends for this reason, unless it has ended, or was given another one before."""
        if self._is_running and self.reason is None:
            self.reason = reason
            self._interrupt()

    def check(self) -> None:
        """Raises `Interrupted` when the run has been told to stop, for pools that cannot throw that into it."""
        if self.reason:
            raise Interrupted

    def seal(self) -> None:
        """The run is over, and nothing stops it any more; what comes now is between the worker and the store."""
        self._is_running = False

    def _stop_late(self, kind: ModelErrorKind, message: str) -> None:
        self.stop(ModelError(Code.PROVIDER_TIMEOUT, kind, message=message))


class ActiveRuns:
    def __init__(self, store: TurnStore, interrupter: Interrupter) -> None:
        self._store = store
        self._interrupter = interrupter
        self._held: dict[str, ActiveRun] = {}  # by token: a turn may be claimed again while its zombie still runs here

    @contextmanager
    def hold(self, claim: Claim, *, total_seconds: float) -> Iterator[ActiveRun]:
        """While inside, the lease is kept. To be entered where the run will be: in its thread or greenlet."""
        held = self._held[claim.token] = ActiveRun(claim, self._interrupter, total_seconds=total_seconds)
        try:
            yield held
        finally:
            held.seal()
            self._held.pop(claim.token, None)

    def renew(self) -> None:
        """The held leases run for another lease time; runs that must stop are stopped."""
        self.heed(self._store.renew(self.wanted()))

    def wanted(self) -> list[Claim]:
        """The claims whose leases are to be kept."""
        return [held.claim for held in self._all() if held.is_wanted]

    def heed(self, words: Sequence[tuple[str, Reply]]) -> None:
        """What renewing said has been done: the runs of lost and of superseded claims are stopped."""
        for token, word in words:
            held = self._held.get(token)
            if held:
                held.stop(Superseded() if word is Reply.SUPERSEDED else LeaseLost())

    def watch(self) -> None:
        """Runs whose model is late are stopped."""
        for held in self._all():
            held.watch()

    def stop(self, turn_id: str) -> None:
        """Somebody cancelled or interrupted this turn: its run is stopped, if it is here."""
        if any(held.claim.turn_id == turn_id for held in self._all()):
            self.renew()  # the store says which of the two it was

    def hand_back(self) -> None:
        """All runs are stopped; each hands its turn back."""
        for held in self._all():
            held.stop(Draining())

    def _all(self) -> list[ActiveRun]:
        return list(self._held.values())
