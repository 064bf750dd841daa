"""Test that the rescuer processes all due turns, logs what it did, and drains once."""

import pytest
from structlog.testing import capture_logs

from tests.unit.worker.run.stand_ins import FakeStore
from turns.backend.script_replies import Reply
from turns.store.turns import RESCUE_LIMIT
from worker.run.rescuer import Rescuer


class Fixture:
    def __init__(self) -> None:
        self.store = FakeStore()
        self.drained = 0
        self.rescuer = Rescuer(
            self.store,  # type: ignore[arg-type]  # a stand-in
            worker="w",
            hint="h",
            slots=200,
            drain=self.drain,
        )

    def drain(self) -> None:
        self.drained += 1


@pytest.fixture
def fixture() -> Fixture:
    return Fixture()


def test_one_batch_is_enough_if_it_is_not_full(fixture: Fixture) -> None:
    fixture.rescuer.rescue()
    assert fixture.store.calls == [("rescue", "w", "h", 200), ("is_drained", "w")]


def test_full_batches_are_followed_by_another(fixture: Fixture) -> None:
    full = [("turn", Reply.WAITING)] * RESCUE_LIMIT
    fixture.store.replies["rescue"] = [full, full, full[1:]]
    fixture.rescuer.rescue()
    assert fixture.store.verbs() == ["rescue"] * 3 + ["is_drained"]


def test_each_rescued_turn_is_logged_and_no_other(fixture: Fixture) -> None:
    outcomes = [Reply.RESCUED, Reply.LOST, Reply.DISPATCHED, Reply.EXPIRED, Reply.WAITING, Reply.NOT_NOW]
    fixture.store.replies["rescue"] = [[(f"turn_{outcome}", outcome) for outcome in outcomes]]
    with capture_logs() as logs:
        fixture.rescuer.rescue()
    assert [(log["event"], log["turn_id"], log.get("how") or log["code"]) for log in logs] == [
        ("turn.rescued", "turn_RESCUED", "rescued"),
        ("turn.rescued", "turn_LOST", "lost"),
        ("turn.failed", "turn_LOST", "worker_lost"),
        ("turn.rescued", "turn_DISPATCHED", "dispatched"),
        ("turn.rescued", "turn_EXPIRED", "expired"),
    ]


def test_a_worker_is_drained_once(fixture: Fixture) -> None:
    fixture.store.replies["is_drained"] = [False, True, True]
    for expected in (0, 1, 1, 1):
        fixture.rescuer.rescue()
        assert fixture.drained == expected


def test_each_repair_is_logged(fixture: Fixture) -> None:
    fixture.store.replies["rescue"] = [[("", Reply.CLOCK_SET_BACK), ("turn", Reply.BROKEN)]]
    fixture.store.replies["repair"] = [[("session", Reply.RESTORED), ("other", Reply.LOST)]]
    with capture_logs() as logs:
        fixture.rescuer.rescue()
        fixture.rescuer.repair()
    assert [(log["event"], log["name"], log["how"]) for log in logs] == [
        ("index.repaired", "", "clock_set_back"),
        ("index.repaired", "turn", "broken"),
        ("index.repaired", "session", "restored"),
        ("index.repaired", "other", "lost"),
    ]
