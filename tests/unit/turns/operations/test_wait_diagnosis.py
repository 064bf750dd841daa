from dataclasses import replace
from typing import Any

import pytest

from tests.support.records import record
from turns.domain.error_codes import Code
from turns.domain.run.retry import HoldReason
from turns.domain.state import Status
from turns.domain.wait_reason import Reason
from turns.operations.live_turns import LiveTurn
from turns.operations.wait_diagnosis import SlotWait, WaitFacts, diagnose
from turns.pauses.part import WORKERS
from turns.pauses.pause import Pause
from turns.store.held import CrowdedGroup
from turns.store.holds import ModelHold

HOLD = ModelHold(
    name="m",
    reason=HoldReason.OUTAGE,
    code=Code.PROVIDER_ERROR,
    since=1,
    until=5,
    is_reopening=False,
    held_turns=3,
    oldest_held_at=2,
)
QUEUED = LiveTurn.from_record("turn_1", record(Status.QUEUED), behind=0)
PAUSE = Pause(part=WORKERS, by="", reason="", since=1, until=9, is_over=False, waiting_turns=3)
CALM = WaitFacts(live_workers=2, hold=None, slot_waits=(), queued_hints=7)


def reasons(head: LiveTurn, facts: WaitFacts) -> list[Reason]:
    return [why.reason for why in diagnose(head, facts)]


def test_a_queued_turn_waits_for_a_worker() -> None:
    [why] = diagnose(QUEUED, CALM)
    assert (why.reason, why.until) == (Reason.WORKERS_BUSY, None)
    assert "one of 2 workers; 7 turns are queued" in why.message


def test_a_custom_chain_waits_for_a_chain_worker() -> None:
    head = replace(QUEUED, queue="chains")
    [why] = diagnose(head, replace(CALM, live_workers=0))
    assert (why.reason, "make worker CHAINS=1" in why.message) == (Reason.NO_WORKER, True)


def test_a_turn_that_lost_workers_waits_for_its_delay() -> None:
    head = replace(QUEUED, retry_at=5, losses=2, last_error_code=Code.WORKER_LOST)
    [why] = diagnose(head, CALM)
    assert (why.reason, why.until) == (Reason.WORKER_LOST, 5)
    assert "2 workers died" in why.message


def test_a_running_turn_is_the_only_reason() -> None:
    running = replace(QUEUED, status=Status.IN_PROGRESS, worker="w", retry_at=5)
    paused = replace(CALM, pauses=(PAUSE,), live_workers=0)
    [why] = diagnose(running, paused)
    assert (why.reason, "worker w" in why.message) == (Reason.RUNNING, True)


@pytest.mark.parametrize(
    ("changes", "message", "until"),
    [
        ({}, "An operator has paused the workers. 3 turns wait for that.", 9),
        ({"reason": "deploy"}, "An operator has paused the workers: deploy. 3 turns wait for that.", 9),
        ({"is_over": True}, "The pause of the workers is over; 3 turns that waited start, oldest first.", None),
    ],
)
def test_a_pause_is_a_reason_with_its_own_reason(changes: dict[str, Any], message: str, until: int | None) -> None:
    [why] = diagnose(QUEUED, replace(CALM, pauses=(replace(PAUSE, **changes),)))
    assert (why.reason, why.message, why.until) == (Reason.WORKERS_PAUSED, message, until)


def test_reasons_are_sorted_by_importance() -> None:
    facts = replace(
        CALM,
        pauses=(PAUSE,),
        live_workers=0,
        slot_waits=(SlotWait(group=CrowdedGroup(name="tenant:a", slots=2, waiting=1), turns_before=0),),
    )
    head = replace(QUEUED, retry_at=5, last_error_code=Code.CHAIN_ERROR)
    assert reasons(head, facts) == [Reason.WORKERS_PAUSED, Reason.NO_WORKER, Reason.RETRY, Reason.PARKED]


@pytest.mark.parametrize(
    ("hold", "reason", "word"),
    [
        (None, Reason.RETRY, "attempt 2"),
        (HOLD, Reason.MODEL_OUTAGE, "m does not answer (provider_error)"),
        (replace(HOLD, reason=HoldReason.RATE_LIMITED), Reason.MODEL_PAUSED, "limits the rate of the model m"),
        (replace(HOLD, is_reopening=True), Reason.MODEL_OUTAGE, "answers again"),
    ],
)
def test_a_turn_waits_for_its_model_or_its_retry(hold: ModelHold | None, reason: Reason, word: str) -> None:
    head = replace(QUEUED, retry_at=5, attempt=2, last_error_code=Code.PROVIDER_ERROR)
    [why] = diagnose(head, replace(CALM, hold=hold))
    assert (why.reason, why.until, word in why.message) == (reason, 5, True)


@pytest.mark.parametrize("name", ["org/m", "01234567/org/m"])
def test_the_model_of_a_hold_is_shown_without_its_provider(name: str) -> None:
    assert replace(HOLD, name=name).model == "org/m"


def test_each_group_without_a_free_slot_is_a_reason() -> None:
    waits = (
        SlotWait(group=CrowdedGroup(name="tenant:acme", slots=5, waiting=4), turns_before=3),
        SlotWait(group=CrowdedGroup(name="lane:batch", slots=2, waiting=1), turns_before=0),
    )
    found = diagnose(QUEUED, replace(CALM, slot_waits=waits))
    assert [why.reason for why in found] == [Reason.PARKED, Reason.PARKED]
    assert found[0].message == "The tenant acme uses all of its 5 slots; 3 other turns are before this one."


def test_a_share_of_the_workers_is_a_reason() -> None:
    wait = SlotWait(group=CrowdedGroup(name="loop/model:m", slots=360, waiting=4), turns_before=3)
    [why] = diagnose(QUEUED, replace(CALM, slot_waits=(wait,)))
    assert why.reason is Reason.PARKED
    assert why.message == "The model m uses its share of the workers, 360 slots; 3 other turns are before this one."
