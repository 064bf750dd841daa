"""`make chaos`: run about ten thousand turns under faults, one kind at a time, and compare with plain Celery."""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from tests.chaos.baseline.stack import Baseline
from tests.chaos.driver import PACE
from tests.chaos.failover import FailoverOutcome, fail_over
from tests.chaos.run import Outcome, run
from tests.chaos.supervised import SupervisedStack
from tests.support.processes import Stack
from tests.support.replicas import ReplicatedStore
from tools import ROOT

PAGE = ROOT / "docs" / "explanation" / "chaos.md"
SESSIONS = 50
SETTINGS = {"INTURN_LOG_FORMAT": "json", "INTURN_HISTORY_WINDOW": "100000"}
PER_SECOND = 25.0

FILES = "histories as files"
KILLS_1_S = "a kill every 3 s, turns of 1 s"
KILLS_3_S = "a kill every 3 s, turns of 3 s"
PACES = {KILLS_1_S: "[words 10] [pace 0.1]", KILLS_3_S: "[words 10] [pace 0.3]"}
SECONDS_PER_KILL = 3.0
RUNS: Mapping[str, Counter[str]] = {
    "50 kills of workers": Counter(kill_worker=50),
    "frozen workers (zombies)": Counter(freeze_worker=5),
    "store killed": Counter(kill_store=10),
    "broker queue lost": Counter(lose_hints=20),
    "hints times five, and forged": Counter(multiply_hints=20, forge_hints=10),
    "scripts flushed, connections cut": Counter(flush_scripts=20, cut_connections=10),
    "endpoint killed": Counter(kill_web=10),
    "all of these at once": Counter(
        kill_worker=10,
        freeze_worker=1,
        kill_store=3,
        kill_web=3,
        lose_hints=3,
        multiply_hints=3,
        forge_hints=3,
        flush_scripts=3,
        cut_connections=3,
    ),
    KILLS_1_S: Counter(),  # as many kills as fit into the time of the turns
    KILLS_3_S: Counter(),
    "three turns that kill their workers": Counter(poison_turn=3),
    FILES: Counter(kill_worker=10, freeze_worker=3, kill_store=3, kill_web=3),
}
FAILOVER_TURNS = 500

PAGE_TEXT = """\
# Fault injection results

Written by `make chaos` (seed {seed}): a real endpoint, three real worker processes and a store with
`appendfsync always`, with load and faults at the same time. The checker (`tests/chaos/checker.py`) imports no product
code. It compares the submitted turns, their results and the histories with the answers that the scripted model must
give to exactly the preceding turns. `tests/chaos/test_checker.py` shows that it detects each single fault. All limits
are the defaults, and the product's own supervisor restarts what was killed.

- *Lost*: accepted, but not ended, or its history does not match its status (such as completed but missing).
- *Half*: a question without its complete answer.
- *Blind*: an answer that was generated from a history other than the preceding turns.
- *Hit*: how often a turn was running on a worker that was killed, or lost its hint.
- *Recovery*: seconds from the hit (the last one, if a waiting turn was hit again) to the next claim, as median,
  95th percentile and maximum.
- *Calls*: model requests per turn. An answer takes most of a second.

No failure in 50 kills bounds the probability of a failure per kill to 5.8 % (95 % confidence); run other seeds for
more. *Histories as files* is a run with `INTURN_HISTORY=file:…` under 10 kills of workers, 3 frozen workers, 3 kills of
the store and 3 of the endpoint. `python -m tests.chaos --only ROW` runs one row and leaves the others unchanged.

The last row is a plain Celery task of thirty lines (`tests/chaos/baseline/`): late acknowledgement around the stock
chain, with a visibility timeout of 10 s where the default is one hour. It has no cancellation, no idempotency keys and
no ordering, and runs under kills of workers only.

| Faults | Times | Turns | Completed | Lost | Doubled | Reordered | Half | Blind | Invented | Hit | Recovery | Calls |
|---|---|---|---|---|---|---|---|---|---|---|---|---|
{rows}

## Fail-over

The primary dies while its replica lags, and Sentinels promote the replica. {count} turns are submitted in that time.
Turns that are not confirmed are refused with 503 and can be submitted again.

| `INTURN_REPLICAS` | Confirmed while the replica lagged | Lost |
|---|---|---|
{failovers}
"""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--turns", type=int, default=10_000, help="approximate total of all runs, without the baseline")
    parser.add_argument("--only", choices=RUNS, metavar="ROW", help="run only this row and leave the others unchanged")
    options = parser.parse_args()
    rows, clean = [], True
    for name in [options.only] if options.only else RUNS:
        outcome = chaos_row(name, turns=options.turns, seed=options.seed)
        clean = clean and outcome.verdict.is_clean and outcome.completed == outcome.turns
        rows.append(print_row(outcome.row(name)))
    if options.only:
        PAGE.write_text(with_row(PAGE.read_text(encoding="utf-8"), rows[0]), encoding="utf-8")
        return 0 if clean else 1
    baseline = chaos(Counter(kill_worker=10), turns=options.turns // 10, seed=options.seed, stack_type=Baseline)
    rows.append(print_row(baseline.row("*thirty lines:* 10 kills of workers")))
    failovers = {replicas: run_failover(replicas) for replicas in (0, 1)}
    failover_rows = [print_row(f"| {n} | {len(o.confirmed)} | {len(o.lost)} |") for n, o in failovers.items()]
    PAGE.write_text(render_page(rows, failover_rows, options.seed), encoding="utf-8")
    return 0 if clean and not failovers[1].lost else 1


def print_row(row: str) -> str:
    sys.stdout.write(f"{row}\n")
    return row


def chaos_row(name: str, *, turns: int, seed: int) -> Outcome:
    share = turns // 2 if name.startswith("50 kills") else turns // 7 if name in PACES else turns // 14
    faults = RUNS[name] or Counter(kill_worker=max(1, int(share / PER_SECOND / SECONDS_PER_KILL)))
    return chaos(faults, turns=share, seed=seed, files=name == FILES, pace=PACES.get(name, PACE))


def chaos(
    faults: Counter[str],
    *,
    turns: int,
    seed: int,
    files: bool = False,
    pace: str = PACE,
    stack_type: type[Stack] = SupervisedStack,
) -> Outcome:
    """Run turns under faults, whose interval is such that the last one happens with the last submissions."""
    with tempfile.TemporaryDirectory() as directory:
        history = {"INTURN_HISTORY": f"file:{directory}/histories"} if files else {}
        with stack_type(Path(directory), workers=3, settings={**SETTINGS, **history}) as stack:
            return run(
                stack,
                sessions=SESSIONS,
                turns=turns // SESSIONS,
                per_second=PER_SECOND,
                seed=seed,
                every_seconds=turns / PER_SECOND / (faults.total() + 1),
                faults=faults,
                pace=pace,
            )


def run_failover(replicas: int) -> FailoverOutcome:
    with tempfile.TemporaryDirectory() as directory:
        store = ReplicatedStore(Path(directory))
        with Stack(Path(directory), workers=1, settings={"INTURN_REPLICAS": str(replicas)}, store=store) as stack:
            return fail_over(stack, store, range(FAILOVER_TURNS))


def with_row(page: str, row: str) -> str:
    """Return the page with this row instead of the one with its name, or before the row of plain Celery."""
    name, *_ = row.partition(" | ")
    lines = page.splitlines()
    positions = [n for n, line in enumerate(lines) if line.startswith(f"{name} | ")]
    if positions:
        lines[positions[0]] = row
    else:
        lines.insert(next(n for n, line in enumerate(lines) if line.startswith("| *thirty lines")), row)
    return "\n".join(lines) + "\n"


def render_page(rows: list[str], failover_rows: list[str], seed: int) -> str:
    return PAGE_TEXT.format(seed=seed, rows="\n".join(rows), count=FAILOVER_TURNS, failovers="\n".join(failover_rows))


if __name__ == "__main__":
    sys.exit(main())
