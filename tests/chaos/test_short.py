"""A short form of `make chaos`: a thousand turns, ten kills of workers, and most other faults once."""

from collections import Counter
from pathlib import Path

import pytest

from tests.chaos.baseline.stack import Baseline
from tests.chaos.rows import CHAINS, CUSTOM_CHAINS
from tests.chaos.run import run
from tests.support.processes import Stack

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
SETTINGS = {"INTURN_LOG_FORMAT": "json", "INTURN_HISTORY_WINDOW": "1000"}
SEED = 20261123


@pytest.mark.timeout(400)  # a minute of load and faults on an idle machine
def test_faults_lose_double_and_reorder_no_turn(tmp_path: Path) -> None:
    with Stack(tmp_path, workers=3, settings=SETTINGS) as stack:
        outcome = run(stack, sessions=50, turns=20, per_second=20, seed=SEED, every_seconds=2.5, faults=FAULTS)
    assert outcome.verdict.is_clean, outcome.verdict
    assert (outcome.turns, outcome.completed) == (1000, 1000)
    assert outcome.faults == FAULTS


def test_faults_lose_no_history_in_a_file(tmp_path: Path) -> None:
    """This run is shorter, and also freezes a worker beyond its lease while it may be about to write its file."""
    faults = Counter(kill_worker=5, freeze_worker=1, kill_store=1, kill_web=1, lose_hints=1)
    history = {"INTURN_HISTORY": f"file:{tmp_path / 'histories'}", "INTURN_LEASE_SECONDS": "2"}
    with Stack(tmp_path, workers=2, settings={**SETTINGS, **history}) as stack:
        outcome = run(stack, sessions=20, turns=15, per_second=20, seed=SEED, every_seconds=1, faults=faults)
    assert outcome.verdict.is_clean, outcome.verdict
    assert (outcome.turns, outcome.completed) == (300, 300)
    assert len(list((tmp_path / "histories" / "-").glob("*.json"))) == 20


def test_a_turn_that_kills_its_workers_fails_alone(tmp_path: Path) -> None:
    """Its worker dies 0.2 s after each of its claims, with all turns beside it."""
    fast = {"INTURN_LEASE_SECONDS": "1", "INTURN_RESCUE_SECONDS": "0.2", "INTURN_RETRY_SECONDS": "0.2"}
    with Stack(tmp_path, workers=3, settings={**SETTINGS, **fast, "INTURN_MAX_LOSSES": "4"}) as stack:
        faults = Counter(poison_turn=1)
        outcome = run(stack, sessions=30, turns=4, per_second=30, seed=SEED, every_seconds=1, faults=faults)
    assert outcome.verdict.is_clean, outcome.verdict
    assert (outcome.turns, outcome.completed) == (120, 120)
    assert outcome.poisoned == {"worker_lost": 1}
    assert outcome.recoveries, "other turns were hit too"


def test_chains_that_block_crash_and_hang_harm_no_other(tmp_path: Path) -> None:
    """Workers of both kinds are killed meanwhile; a turn may fail only because of its own chain."""
    file = tmp_path / "assistants.toml"
    file.write_text(CHAINS.replace("total_seconds = 20", "total_seconds = 5"))
    faults = Counter(kill_worker=4)
    with Stack(tmp_path, workers=1, chain_workers=1, settings={**SETTINGS, "INTURN_ASSISTANTS": str(file)}) as stack:
        outcome = run(
            stack,
            sessions=16,
            turns=5,
            per_second=10,
            seed=SEED,
            every_seconds=1.5,
            faults=faults,
            loads=CUSTOM_CHAINS,
        )
    assert outcome.verdict.is_clean, outcome.verdict
    assert not outcome.failed_innocents
    assert outcome.completed == 80 - 2 * (
        1 + 2
    )  # per session, a thread hangs once; a process crashes once and hangs once


def test_the_baseline_answers_first_turns_without_faults(tmp_path: Path) -> None:
    """A second turn of a session would overtake the first one there."""
    with Baseline(tmp_path, workers=1, settings=SETTINGS) as stack:
        outcome = run(stack, sessions=4, turns=1, per_second=10, seed=SEED, every_seconds=1, faults=Counter())
    assert outcome.verdict.is_clean, outcome.verdict
    assert outcome.completed == 4
