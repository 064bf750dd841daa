"""A short form of `make chaos-surfaces`."""

from collections import Counter
from pathlib import Path

from tests.chaos.surfaces.clients import CLIENTS
from tests.chaos.surfaces.run import run, total
from tests.support.processes import Stack

FAULTS = Counter(kill_worker=2, kill_web=1)


def test_kills_leave_all_clients_with_exact_answers(tmp_path: Path) -> None:
    with Stack(tmp_path, workers=2) as stack:
        outcomes = run(stack, CLIENTS, sessions=1, turns=4, faults=FAULTS, every_seconds=0.8, seed=20261128)
    assert {name: outcome for name, outcome in outcomes.items() if not outcome.is_clean} == {}
    assert total(list(outcomes.values())).completed == len(CLIENTS) * 4
