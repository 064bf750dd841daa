"""One read for all who ask for the same turn at the same moment: when a turn ends, thousands may."""

import threading
from collections.abc import Callable
from typing import Protocol

from turns.domain.turn import Turn


class Read(Protocol):
    def __call__(self, turn_id: str, *, tenant: str) -> Turn: ...


class InFlightRead:
    """One read of one turn; whoever joins before it begins gets what it finds."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._turn: Turn | None = None
        self._error: Exception | None = None

    def run(self, read: Callable[[], Turn]) -> None:
        try:
            self._turn = read()
        except Exception as error:  # told to all who joined
            self._error = error
        finally:
            self._ended.set()

    def wait(self) -> None:
        self._ended.wait()

    def result(self) -> Turn:
        """Raises what the read raised."""
        self.wait()
        if self._turn is None:
            raise self._error or RuntimeError("the read was given up")
        return self._turn


class SingleFlight:
    def __init__(self, read: Read) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._running: dict[tuple[str, str], InFlightRead] = {}
        self._next: dict[tuple[str, str], InFlightRead] = {}

    def get_turn(self, turn_id: str, *, tenant: str) -> Turn:
        """The turn as it is now, not as it was before this was asked: a read that has begun already may be too old."""
        asked = (tenant, turn_id)
        with self._lock:
            joined = self._next.get(asked)
            if joined is None:
                mine = self._next[asked] = InFlightRead()
                before = self._running.get(asked)
        if joined is not None:
            return joined.result()
        if before is not None:
            before.wait()
        with self._lock:
            self._running[asked] = self._next.pop(asked)
        mine.run(lambda: self._read(turn_id, tenant=tenant))
        with self._lock:
            if self._running.get(asked) is mine:
                del self._running[asked]
        return mine.result()
