from dataclasses import replace

import pytest

from tests.support.records import record
from turns.domain.error_codes import Code
from turns.domain.state import Status
from turns.domain.wait_reason import Reason
from turns.operations.live_turns import LiveTurn
from turns.operations.wait_diagnosis import SlotWait, WaitFacts, diagnose

QUEUED = LiveTurn.from_record("turn_1", record(Status.QUEUED), behind=0)
CALM = WaitFacts(workers_paused=False, live_workers=2, model_paused=False, slot_waits=(), queued_hints=7)


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
    paused = replace(CALM, workers_paused=True, live_workers=0)
    [why] = diagnose(running, paused)
    assert (why.reason, "worker w" in why.message) == (Reason.RUNNING, True)


def test_reasons_are_sorted_by_importance() -> None:
    facts = replace(
        CALM, workers_paused=True, live_workers=0, slot_waits=(SlotWait(group="The tenant a", slots=2, turns_before=0),)
    )
    head = replace(QUEUED, retry_at=5, last_error_code=Code.CHAIN_ERROR)
    assert reasons(head, facts) == [Reason.WORKERS_PAUSED, Reason.NO_WORKER, Reason.RETRY, Reason.PARKED]


@pytest.mark.parametrize(
    ("last_error_code", "model_paused", "reason"),
    [
        (None, False, Reason.MODEL_PAUSED),
        (Code.PROVIDER_RATE_LIMITED, False, Reason.MODEL_PAUSED),
        (Code.PROVIDER_ERROR, True, Reason.MODEL_PAUSED),
        (Code.PROVIDER_ERROR, False, Reason.RETRY),
    ],
)
def test_a_time_is_a_pause_of_the_model_or_a_retry(
    last_error_code: Code | None, model_paused: bool, reason: Reason
) -> None:
    head = replace(QUEUED, retry_at=5, attempt=2, last_error_code=last_error_code)
    [why] = diagnose(head, replace(CALM, model_paused=model_paused))
    assert (why.reason, why.until) == (reason, 5)
    assert ("attempt 2" in why.message) == (reason is Reason.RETRY)


def test_a_paused_model_concerns_only_turns_that_wait_for_a_time() -> None:
    assert reasons(QUEUED, replace(CALM, model_paused=True)) == [Reason.WORKERS_BUSY]


def test_each_group_without_a_free_slot_is_a_reason() -> None:
    waits = (
        SlotWait(group="The tenant acme", slots=5, turns_before=3),
        SlotWait(group="The lane batch", slots=2, turns_before=0),
    )
    found = diagnose(QUEUED, replace(CALM, slot_waits=waits))
    assert [why.reason for why in found] == [Reason.PARKED, Reason.PARKED]
    assert found[0].message == "The tenant acme uses all of its 5 slots; 3 other turns are before this one."
