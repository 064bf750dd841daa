"""A short form of `make chaos-edits`."""

from collections import Counter
from pathlib import Path

import pytest

from tests.chaos.edits.conversations import SETTINGS, run_edits
from tests.support.processes import Stack

FAULTS = Counter(kill_worker=4, kill_web=1)


@pytest.mark.timeout(120)
def test_kills_leave_no_half_edit_and_no_half_fork(tmp_path: Path) -> None:
    with Stack(tmp_path, workers=2, settings=SETTINGS) as stack:
        verdict = run_edits(stack, chats=4, rounds=2, faults=FAULTS, every_seconds=1, seed=20261128)
    assert verdict.is_clean, verdict
