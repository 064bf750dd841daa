"""The turns that this process holds: their leases are renewed by one loop, in one call for all of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from turns.errors import LeaseLost
from turns.store import TurnStore
from turns.turn import Claim


class Interrupted(BaseException):
    """Thrown into a run that must stop; not an Exception, so that no library on its way handles it."""


class Held:
    """A claim whose lease is being renewed. `interrupt` stops the run from outside, where the pool can do that."""

    def __init__(self, claim: Claim, interrupt: Callable[[], None]) -> None:
        self.claim = claim
        self._interrupt = interrupt
        self._lost = False

    def lose(self) -> None:
        self._lost = True
        self._interrupt()

    def check(self) -> None:
        """Raises `LeaseLost` once the lease is known to be lost."""
        if self._lost:
            raise LeaseLost


class Leases:
    def __init__(self, store: TurnStore) -> None:
        self._store = store
        self._held: dict[str, Held] = {}  # by token: a turn may be claimed again while its zombie still runs here

    @contextmanager
    def hold(self, claim: Claim, interrupt: Callable[[], None]) -> Iterator[Held]:
        """While inside, the lease is renewed."""
        held = self._held[claim.token] = Held(claim, interrupt)
        try:
            yield held
        finally:
            self._held.pop(claim.token, None)

    def renew(self) -> None:
        """All held leases run for another lease time; the runs of lost ones are told to stop."""
        if not self._held:
            return
        for token in self._store.renew([held.claim for held in self._held.values()]):
            held = self._held.pop(token, None)
            if held:
                held.lose()
