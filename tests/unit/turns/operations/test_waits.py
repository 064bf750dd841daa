"""The waits of a turn, from its record."""

import json

from tests.support.records import record
from turns.domain.state import Status
from turns.domain.wait_reason import Reason
from turns.operations.waits import read_waits

DISPATCHED = {"claims": "0", "hinted_at": "1"}
PARKED = {"open_wait": json.dumps(["parked", "1000", "tenant:acme"])}


def waits(status: Status, fields: dict[str, str]) -> list[tuple[str, int, int | None]]:
    return [(wait.reason, wait.since, wait.until) for wait in read_waits({**record(status), **fields})]


def test_a_turn_that_only_waited_for_a_worker_has_no_wait() -> None:
    assert waits(Status.QUEUED, DISPATCHED) == []


def test_a_turn_that_was_never_dispatched_waits_for_earlier_ones() -> None:
    assert waits(Status.QUEUED, {"claims": "0"}) == [(Reason.RUNNING, 0, None)]
    assert waits(Status.CANCELLED, {"claims": "0", "finished_at": "50"}) == [(Reason.RUNNING, 0, 50)]
    assert waits(Status.QUEUED, {**DISPATCHED, "head_at": "30"}) == [(Reason.RUNNING, 0, 30)]


def test_the_present_wait_has_no_end_until_its_turn_ends() -> None:
    assert waits(Status.QUEUED, PARKED) == [("parked", 1000, None)]
    assert waits(Status.CANCELLED, {**PARKED, "finished_at": "2000"}) == [("parked", 1000, 2000)]


def test_a_wait_for_a_retry_ends_with_its_turn() -> None:
    retry = {"waits": json.dumps([["retry", "1000", "9000", "provider_error"]]), "claims": "1"}
    assert waits(Status.QUEUED, retry) == [(Reason.RETRY, 1000, 9000)]
    assert waits(Status.CANCELLED, {**retry, "finished_at": "2000"}) == [(Reason.RETRY, 1000, 2000)]


def test_reasons_of_a_later_release_are_kept_as_they_are() -> None:
    later = {**DISPATCHED, "waits": json.dumps([["tenant_paused", "1", "2", "acme"]])}
    [wait] = read_waits({**record(Status.QUEUED), **later})
    assert (wait.reason, wait.what) == ("tenant_paused", "acme")
