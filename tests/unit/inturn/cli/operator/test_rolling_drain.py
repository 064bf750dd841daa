"""Draining workers one by one, with a fleet whose supervisor follows a script."""

from collections.abc import Sequence

import pytest

from inturn.cli.operator.rolling_drain import NotDrained, RollingDrain, WorkerRow
from inturn.errors import Unreachable


class FakeFleet:
    """A drained worker ends after three lists; its successor, if it is restarted, is there three lists later."""

    def __init__(self, *names: str, restarts: bool = True, ends: bool = True) -> None:
        self.rows = {name: WorkerRow(name, "loop", "alpha", "running") for name in names}
        self.calls: list[str] = []
        self._restarts = restarts
        self._ends = ends
        self._pending: list[tuple[int, WorkerRow]] = []
        self._lists = 0
        self.is_away = False

    def list_workers(self) -> Sequence[WorkerRow]:
        if self.is_away:
            self.is_away = False
            raise Unreachable("the endpoint restarts")
        self._lists += 1
        for _, row in [change for change in self._pending if change[0] <= self._lists]:
            self.rows[row.name] = row
        return list(self.rows.values())

    def drain(self, name: str) -> None:
        running = sum(row.is_running for row in self.rows.values())
        self.calls.append(f"{name} of {running}")
        self.rows[name] = WorkerRow(name, "loop", "alpha", "draining")
        self.is_away = True
        if self._ends:
            self._pending.append((self._lists + 3, WorkerRow(name, "loop", "alpha", "ended")))
        if self._restarts:
            self._pending.append((self._lists + 6, WorkerRow(f"{name}'", "loop", "alpha", "running")))


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def drain(fleet: FakeFleet, *, needs_successor: bool = True) -> None:
    clock = Clock()
    RollingDrain(
        fleet,
        timeout_seconds=60,
        needs_successor=needs_successor,
        notify=lambda _: None,
        clock=clock,
        sleep=clock.sleep,
    ).run()


def test_each_worker_is_drained_when_the_one_before_was_replaced() -> None:
    fleet = FakeFleet("a", "b", "c")
    drain(fleet)
    assert fleet.calls == ["a of 3", "b of 3", "c of 3"]
    assert [row.name for row in fleet.rows.values() if row.is_running] == ["a'", "b'", "c'"]


def test_without_a_successor_the_next_worker_is_not_drained() -> None:
    fleet = FakeFleet("a", "b", restarts=False)
    with pytest.raises(NotDrained, match="Nothing has started another worker on alpha within 60 s"):
        drain(fleet)
    assert fleet.calls == ["a of 2"]


def test_a_successor_is_not_waited_for_if_none_is_expected() -> None:
    fleet = FakeFleet("a", "b", restarts=False)
    drain(fleet, needs_successor=False)
    assert fleet.calls == ["a of 2", "b of 1"]


def test_a_worker_that_does_not_end_stops_the_drain() -> None:
    fleet = FakeFleet("a", "b", ends=False)
    with pytest.raises(NotDrained, match="a has not finished its turns within 60 s"):
        drain(fleet)
    assert fleet.calls == ["a of 2"]
