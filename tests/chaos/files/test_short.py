"""A short form of `make chaos-files`."""

from collections import Counter
from pathlib import Path

from tests.chaos.files.run import prepare, run
from tests.support.processes import Stack

FAULTS = Counter(kill_worker=2, kill_web=2, kill_store=1)


def test_kills_lose_no_file_and_leave_none(tmp_path: Path) -> None:
    fast = {"INTURN_LEASE_SECONDS": "1", "INTURN_RESCUE_SECONDS": "0.2"}
    with Stack(tmp_path, workers=2, settings={**prepare(tmp_path), **fast}) as stack:
        outcome = run(
            stack, tmp_path, sessions=6, turns=6, pause_seconds=0.3, seed=20261123, every_seconds=0.6, faults=FAULTS
        )
    assert outcome.verdict.is_clean, outcome.verdict
    assert (outcome.turns, outcome.kept) == (36, 24)
    assert outcome.faults == FAULTS
