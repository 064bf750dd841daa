"""Drain workers one after another, so that the others run the turns meanwhile."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from inturn.errors import Unavailable

POLL_SECONDS = 1.0


@dataclass(frozen=True)
class WorkerRow:
    """A worker as the service lists it."""

    name: str
    kind: str
    host: str
    state: str

    @property
    def is_running(self) -> bool:
        return self.state == "running"

    @property
    def is_gone(self) -> bool:
        return self.state in {"ended", "dead"}


class Fleet(Protocol):
    """The workers of a service."""

    def list_workers(self) -> Sequence[WorkerRow]: ...

    def drain(self, name: str) -> None: ...


class NotDrained(Exception):
    """A worker did not end, or nothing took its place, within the time limit. The text is for users."""


class RollingDrain:
    """Drains one worker, waits until it has ended and its successor runs, then drains the next one.

    A worker of the same kind on the same host that was not there before is the successor.
    """

    def __init__(
        self,
        fleet: Fleet,
        *,
        timeout_seconds: float,
        needs_successor: bool,
        notify: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`notify` is called with the progress in words. The time limit is that of one worker."""
        self._fleet = fleet
        self._timeout_seconds = timeout_seconds
        self._needs_successor = needs_successor
        self._notify = notify
        self._clock = clock
        self._sleep = sleep

    def run(self) -> None:
        """Drain all running workers. Raise `NotDrained`; then the workers after that one are not drained."""
        workers = [worker for worker in self._fleet.list_workers() if worker.is_running]
        for number, worker in enumerate(workers, 1):
            self._notify(f"{number} of {len(workers)}: draining {worker.name}")
            self._replace(worker)

    def _replace(self, worker: WorkerRow) -> None:
        give_up_at = self._clock() + self._timeout_seconds
        known = {row.name for row in self._fleet.list_workers()}
        self._fleet.drain(worker.name)
        if not self._wait(lambda rows: _is_gone(worker, rows), give_up_at):
            raise NotDrained(f"{worker.name} has not finished its turns within {self._timeout_seconds:g} s.")
        if self._needs_successor and not self._wait(lambda rows: _has_successor(worker, rows, known), give_up_at):
            raise NotDrained(
                f"Nothing has started another worker on {worker.host or 'its host'} "
                f"within {self._timeout_seconds:g} s. If that is intended, use --no-successor."
            )

    def _wait(self, is_done: Callable[[Sequence[WorkerRow]], bool], give_up_at: float) -> bool:
        """Return whether the condition became true in time; a service that does not answer may do so again."""
        while True:
            try:
                if is_done(self._fleet.list_workers()):
                    return True
            except Unavailable:
                pass
            if self._clock() >= give_up_at:
                return False
            self._sleep(POLL_SECONDS)


def _is_gone(worker: WorkerRow, rows: Sequence[WorkerRow]) -> bool:
    return all(row.is_gone for row in rows if row.name == worker.name)


def _has_successor(worker: WorkerRow, rows: Sequence[WorkerRow], known: Collection[str]) -> bool:
    place = (worker.host, worker.kind)
    return any(row.is_running and row.name not in known and (row.host, row.kind) == place for row in rows)
