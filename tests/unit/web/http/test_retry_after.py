"""`Retry-After` and `Prefer`."""

from dataclasses import replace

import pytest

from tests.support.records import record
from turns.domain.state import Status
from turns.domain.turn import Turn, Waiting, WaitingFor
from web.http.preferences import preferred_wait
from web.http.retry_after import MAX_SECONDS, retry_after_seconds

RUNNING = Turn.from_record("turn_1", record(Status.IN_PROGRESS), position=1, ahead="", pace_ms=0)


def queued(**changes: int) -> Turn:
    waiting = replace(Waiting(position=1, waiting_for=WaitingFor.TURN, pace_ms=0), **changes)  # type: ignore[arg-type]
    return replace(RUNNING, status=Status.QUEUED, waiting=waiting)


@pytest.mark.parametrize(
    ("turn", "seconds"),
    [
        (RUNNING, 1),
        (queued(), 1),
        (queued(position=3, pace_ms=2500), 8),
        (queued(position=100, pace_ms=2500), MAX_SECONDS),
        (queued(retry_at=14_200), 5),
        (queued(retry_at=9_000), 1),
        (queued(retry_at=10**9), MAX_SECONDS),
    ],
)
def test_retry_after_depends_on_the_queue(turn: Turn, seconds: int) -> None:
    assert retry_after_seconds(turn, now_ms=10_000) == seconds


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("wait=5", 5),
        ("respond-async, wait=10", 10),
        ('Wait = "7"', 7),
        ("wait=31", 30),
        ("wait=0", 0),
        ("", None),
        ("wait", None),
        ("wait=-1", None),
        ("wait=1.5", None),
        ("await=5", None),
    ],
)
def test_only_a_valid_preferred_wait_counts(header: str, seconds: int | None) -> None:
    assert preferred_wait(header) == seconds
