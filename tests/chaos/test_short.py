"""The short form of `make chaos`: a thousand turns, ten kills, and the rest once."""

from collections import Counter
from pathlib import Path

import pytest

from tests.chaos.run import run
from tests.processes import Stack

FAULTS = Counter(
    kill_worker=10,
    kill_web=1,
    kill_store=1,
    lose_hints=1,
    multiply_hints=1,
    forge_hints=1,
    flush_scripts=1,
    cut_connections=1,
)
SEED = 20261123


@pytest.mark.timeout(400)  # a minute of load and faults on an idle machine
def test_nothing_is_lost_doubled_or_reordered(tmp_path: Path) -> None:
    stack = Stack(tmp_path, workers=3, settings={"INTURN_LOG_FORMAT": "json", "INTURN_HISTORY_WINDOW": "1000"})
    try:
        outcome = run(stack, sessions=50, turns=20, per_second=20, seed=SEED, every_seconds=2.5, faults=FAULTS)
    finally:
        stack.stop()
    assert outcome.verdict.is_clean, outcome.verdict
    assert (outcome.turns, outcome.completed) == (1000, 1000)
    assert outcome.faults == FAULTS
