"""`make chaos`: run some twenty thousand turns under faults, one kind at a time, and compare with plain Celery."""

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.chaos.baseline.stack import Baseline
from tests.chaos.cluster.nemesis import ClusterNemesis
from tests.chaos.edits.conversations import TURNS_PER_ROUND, run_edits
from tests.chaos.failover import FAILOVER_TURNS, FailoverOutcome, fail_over
from tests.chaos.neighbours import NEIGHBOURS, measure_beside
from tests.chaos.nemesis import Nemesis
from tests.chaos.page import BASELINE, PAGE, render_page, table, with_row
from tests.chaos.rows import PER_SECOND, ROWS, SESSIONS, Row
from tests.chaos.run import Outcome, run
from tests.chaos.supervised import SupervisedStack
from tests.chaos.surfaces.run import TABLE_HEAD
from tests.support.cluster.nodes import ClusterNodes
from tests.support.processes import Stack
from tests.support.replicas import ReplicatedStore

SETTINGS = {"INTURN_LOG_FORMAT": "json", "INTURN_HISTORY_WINDOW": "100000"}
CHATS = 20  # conversations at the same time that regenerate, edit and fork
BASELINE_ROW = Row(Counter(kill_worker=10), turns=1000)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--scale", type=float, default=1.0, help="the part of the turns and faults to run")
    parser.add_argument(
        "--only", choices=[*ROWS, *NEIGHBOURS], metavar="ROW", help="run only this row and leave the others unchanged"
    )
    options = parser.parse_args()
    names = [options.only] if options.only else [*ROWS, *NEIGHBOURS]
    rows, clean = [], True
    for name in names:
        row, is_clean = run_row(name, options.scale, options.seed)
        rows.append(print_row(row))
        clean = clean and is_clean
    if options.only:
        PAGE.write_text(with_row(PAGE.read_text(encoding="utf-8"), rows[0]), encoding="utf-8")
        return 0 if clean else 1
    baseline = run_faults(BASELINE_ROW.scaled(options.scale), options.seed, stack_type=Baseline)
    failovers = {replicas: run_failover(replicas) for replicas in (0, 1)}
    failover_rows = [print_row(f"| {n} | {len(o.confirmed)} | {len(o.lost)} |") for n, o in failovers.items()]
    fault_rows = [*rows[: len(ROWS)], print_row(baseline.row(BASELINE))]
    surfaces = table(PAGE.read_text(encoding="utf-8"), TABLE_HEAD)
    page = render_page(fault_rows, rows[len(ROWS) :], failover_rows, options.seed, surfaces=surfaces)
    PAGE.write_text(page, encoding="utf-8")
    return 0 if clean and not failovers[1].lost else 1


def print_row(row: str) -> str:
    sys.stdout.write(f"{row}\n")
    sys.stdout.flush()
    return row


def run_row(name: str, scale: float, seed: int) -> tuple[str, bool]:
    """Return the row and whether all turns ended as they should."""
    if name in NEIGHBOURS:
        with tempfile.TemporaryDirectory() as directory:
            waits = measure_beside(NEIGHBOURS[name], Path(directory))
        return waits.row(name), waits.all_completed
    outcome = run_faults(ROWS[name].scaled(scale), seed)
    for text in outcome.failed_innocents:
        sys.stderr.write(f"not completed: {text}\n")
    if outcome.remark:
        sys.stdout.write(f"{name}: {outcome.remark}\n")
    return outcome.row(name), outcome.verdict.is_clean and not outcome.failed_innocents


def run_faults(row: Row, seed: int, *, stack_type: type[Stack] = SupervisedStack) -> Outcome:
    """Run turns under faults, whose interval is such that the last one happens with the last submissions."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        settings = dict(SETTINGS)
        if row.in_files:
            settings["INTURN_HISTORY"] = f"file:{directory}/histories"
        if row.chains:
            (directory / "assistants.toml").write_text(row.chains, encoding="utf-8")
            settings["INTURN_ASSISTANTS"] = str(directory / "assistants.toml")
        store = None
        if row.is_cluster:
            store = ClusterNodes(directory, primaries=3, replicas=1)
            settings["INTURN_REPLICAS"] = "1"  # a promoted primary then has all turns that were confirmed
        chain_workers = 1 if row.chains else 0
        every_seconds = row.turns / PER_SECOND / (row.faults.total() + 1)
        with stack_type(directory, workers=3, chain_workers=chain_workers, settings=settings, store=store) as stack:
            if row.has_edits:
                rounds = max(1, row.turns // TURNS_PER_ROUND // CHATS)
                return run_edits(
                    stack, chats=CHATS, rounds=rounds, faults=row.faults, every_seconds=every_seconds, seed=seed
                )
            return run(
                stack,
                sessions=SESSIONS,
                turns=row.turns // SESSIONS,
                per_second=PER_SECOND,
                seed=seed,
                every_seconds=every_seconds,
                faults=row.faults,
                pace=row.pace,
                loads=row.loads,
                nemesis_type=ClusterNemesis if row.is_cluster else Nemesis,
            )


def run_failover(replicas: int) -> FailoverOutcome:
    with tempfile.TemporaryDirectory() as directory:
        store = ReplicatedStore(Path(directory))
        with Stack(Path(directory), workers=1, settings={"INTURN_REPLICAS": str(replicas)}, store=store) as stack:
            return fail_over(stack, store, range(FAILOVER_TURNS))


if __name__ == "__main__":
    sys.exit(main())
