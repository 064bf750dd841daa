"""Errors of turns without a complete answer."""

import pytest

from inturn.errors import InTurnError, StillRunning, TurnCancelled, TurnFailed, TurnIncomplete
from inturn.protocol.outcomes import require_completed
from inturn.protocol.parsing import turn_fields
from inturn.values import TurnData


def turn(status: str) -> TurnData:
    error = {"code": "provider_rejected", "message": "The provider refused."} if status == "failed" else None
    body = {"id": "turn_1", "session_id": "s", "status": status, "input": "hi", "error": error}
    return TurnData(**turn_fields({**body, "accepted_at": "2026-11-25T08:00:00Z"}))


def test_a_completed_turn_is_returned() -> None:
    completed = turn("completed")
    assert require_completed(completed) is completed


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("failed", TurnFailed),
        ("cancelled", TurnCancelled),
        ("incomplete", TurnIncomplete),
        ("queued", StillRunning),
        ("in_progress", StillRunning),
    ],
)
def test_each_other_status_has_its_error(status: str, error: type[InTurnError]) -> None:
    with pytest.raises(error, match=f"turn_1 is (still )?{status}"):
        require_completed(turn(status))
