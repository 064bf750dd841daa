"""Tests of the survey: what each head waits for, and since when its user has no answer."""

import pytest

from turns.domain.wait_reason import Reason
from turns.domain.worker_kind import WorkerKind
from turns.store.survey import Survey, build_survey

ID = "turn_" + "0" * 32
ACCEPTED_AT, STARTED_AT, HELD_AT, WAITING_SINCE = 100, 700, 300, 500
QUEUED = {"status": "queued", "accepted_at": "100", "claims": "0"}
RUNNING = {"status": "in_progress", "worker": "w", "accepted_at": "100", "claims": "1", "started_at": "700"}


def survey(record: dict[str, str], since: int | None = None) -> Survey:
    return build_survey({ID: record}, {} if since is None else {ID: since})


@pytest.mark.parametrize(
    ("record", "since", "expected"),
    [
        (QUEUED, WAITING_SINCE, WAITING_SINCE),
        ({**QUEUED, "held_at": "300", "held_by": "m"}, None, HELD_AT),
        (RUNNING, None, STARTED_AT),
        ({**RUNNING, "first_token_at": "900"}, None, None),
        ({**RUNNING, "claims": "2"}, None, ACCEPTED_AT),
        ({**QUEUED, "claims": "1", "started_at": "700", "retry_at": "999"}, None, ACCEPTED_AT),
        ({**QUEUED, "lane": "batch"}, WAITING_SINCE, None),
        ({"status": "completed", "accepted_at": "100", "claims": "1", "started_at": "700"}, None, None),
    ],
)
def test_a_user_waits_until_the_answer_begins(record: dict[str, str], since: int | None, expected: int | None) -> None:
    assert survey(record, since).oldest_unanswered_at == expected


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({**QUEUED, "hinted_at": "500"}, Reason.WORKERS_BUSY),
        ({**QUEUED, "hinted_at": "499"}, Reason.PARKED),
        (QUEUED, Reason.PARKED),
        ({**QUEUED, "retry_at": "999", "last_error_code": "worker_lost"}, Reason.WORKER_LOST),
        ({**QUEUED, "retry_at": "999", "last_error_code": "provider_error"}, Reason.RETRY),
        ({**QUEUED, "retry_at": "999", "held_by": "m"}, None),
    ],
)
def test_each_queued_head_has_one_reason(record: dict[str, str], reason: Reason | None) -> None:
    assert dict(survey(record, WAITING_SINCE).waiting) == ({reason: 1} if reason else {})


def test_the_longest_wait_for_each_kind_of_worker() -> None:
    hinted = {**QUEUED, "hinted_at": "900"}
    records = {"a": {**hinted, "queue": "chains"}, "b": hinted, "c": hinted, "d": QUEUED, "e": hinted}
    found = build_survey({ID[:-1] + name: record for name, record in records.items()}, since("a7 b5 c4 d1"))
    assert found.waiting_kinds_since == {WorkerKind.CHAINS: 700, WorkerKind.LOOP: 400}
    assert found.waiting_kinds == {WorkerKind.CHAINS: 1, WorkerKind.LOOP: 3}


def since(waits: str) -> dict[str, int]:
    """Return the times (ms) of turns whose ids end with these letters."""
    return {ID[:-1] + wait[0]: int(wait[1]) * 100 for wait in waits.split()}


def test_running_turns_are_listed_with_their_waits() -> None:
    found = build_survey({ID: RUNNING, "turn_" + "1" * 32: {**RUNNING, "first_token_at": "900"}}, {})
    assert [turn.worker for turn in found.running] == ["w", "w"]
    assert found.first_token_waits == [STARTED_AT]
