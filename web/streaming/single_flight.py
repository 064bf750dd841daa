"""Share one read of a turn between all callers that ask at once; thousands may when a turn ends."""

import threading
from collections.abc import Callable
from typing import Protocol

from turns.domain.turn import Turn


class GetTurn(Protocol):
    """`TurnStore.get_turn`."""

    def __call__(self, turn_id: str, *, tenant: str) -> Turn: ...


class InFlightRead:
    """One read of one turn; callers that join before it starts share its result."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._turn: Turn | None = None
        self._error: Exception | None = None

    def run(self, read: Callable[[], Turn]) -> None:
        try:
            self._turn = read()
        except Exception as error:  # raised again for each caller that joined
            self._error = error
        finally:
            self._ended.set()

    def wait(self) -> None:
        self._ended.wait()

    def result(self) -> Turn:
        """Wait for the turn and return it, or raise the error of the read."""
        self.wait()
        if self._turn is None:
            raise self._error or RuntimeError("the read was interrupted")
        return self._turn


class SingleFlight:
    def __init__(self, get_turn: GetTurn) -> None:
        self._get_turn = get_turn
        self._lock = threading.Lock()
        self._running: dict[tuple[str, str], InFlightRead] = {}
        self._next: dict[tuple[str, str], InFlightRead] = {}

    def get_turn(self, turn_id: str, *, tenant: str) -> Turn:
        """Return the turn as it is now.

        A read that already runs may return an older state, so a new one is started and shared.
        """
        key = (tenant, turn_id)
        with self._lock:
            joined = self._next.get(key)
            if joined is None:
                own = self._next[key] = InFlightRead()
                running = self._running.get(key)
        if joined is not None:
            return joined.result()
        if running is not None:
            running.wait()
        with self._lock:
            self._running[key] = self._next.pop(key)
        own.run(lambda: self._get_turn(turn_id, tenant=tenant))
        with self._lock:
            if self._running.get(key) is own:
                del self._running[key]
        return own.result()
