"""Short texts about turns."""

from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest

from inturn.cli.terminal.formatting import format_age, format_event, format_status
from inturn.events import DataSent, ToolCalled
from inturn.values import Queue


@pytest.mark.parametrize(
    ("seconds", "expected"), [(-1, "0s"), (59, "59s"), (60, "1m"), (3599, "59m"), (7200, "2h"), (200_000, "2d")]
)
def test_an_age_is_shown_in_its_largest_unit(seconds: int, expected: str) -> None:
    assert format_age(datetime.now(UTC) - timedelta(seconds=seconds)) == expected


@pytest.mark.parametrize(
    ("position", "waiting_for", "expected"),
    [
        (2, "turn", "Waiting for the previous turn"),
        (4, "turn", "Waiting for 3 previous turns"),
        (1, "worker", "Waiting for a worker"),
        (1, "retry", "Waiting for the model. Asking again"),
        (1, "pause", "Waiting until the service continues"),
    ],
)
def test_a_queued_turn_shows_what_it_waits_for(
    position: int, waiting_for: Literal["turn", "worker", "retry", "pause"], expected: str
) -> None:
    queue = Queue(position=position, waiting_for=waiting_for, turn_id=None, retry_at=None)
    assert format_status("queued", queue) == expected


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (ToolCalled("c1", "clock", "started"), "[tool] clock started"),
        (ToolCalled("c1", "clock", "started", arguments="{}"), "[tool] clock started: {}"),
        (ToolCalled("c1", "clock", "finished", result="noon"), "[tool] clock finished: noon"),
        (DataSent("progress", {"percent": 50}), '[data] progress {"percent": 50}'),
    ],
)
def test_an_event_is_shown_in_one_line(event: ToolCalled | DataSent, expected: str) -> None:
    assert format_event(event) == expected


def test_a_running_turn_shows_that_the_model_answers() -> None:
    assert format_status("in_progress", None) == "The model is answering"
