"""A short form of the row *regenerate, edit, fork*."""

from collections import Counter
from pathlib import Path

from tests.chaos.edits.conversations import run_edits
from tests.support.processes import Stack

SETTINGS = {"INTURN_LOG_FORMAT": "json", "INTURN_HISTORY_WINDOW": "1000"}
FAULTS = Counter(kill_worker=4, kill_web=1)


def test_kills_leave_no_half_edit_and_no_half_fork(tmp_path: Path) -> None:
    with Stack(tmp_path, workers=2, settings=SETTINGS) as stack:
        outcome = run_edits(stack, chats=4, rounds=2, faults=FAULTS, every_seconds=1, seed=20261128)
    assert outcome.verdict.is_clean, outcome.verdict
    assert outcome.failed_innocents == []
