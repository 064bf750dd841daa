"""`make chaos`: about ten thousand turns under faults, one kind at a time, and the thirty lines of Celery beside it."""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from tests.chaos.baseline.stack import Baseline
from tests.chaos.failover import FailedOver, fail_over
from tests.chaos.run import Outcome, run
from tests.processes import Stack
from tests.replicated import ReplicatedStore
from tools import ROOT

PAGE = ROOT / "docs" / "chaos.md"
SESSIONS = 50
SETTINGS = {"INTURN_LOG_FORMAT": "json", "INTURN_HISTORY_WINDOW": "100000", "INTURN_MAX_ATTEMPTS": "10"}

FILES = "histories as files"
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
    FILES: Counter(kill_worker=10, freeze_worker=3, kill_store=3, kill_web=3),
}
CONFIRMED = 500

PAGE_TEXT = """\
# What faults leave behind

Written by `make chaos` (seed {seed}): a real endpoint, three real worker processes, a store with
`appendfsync always`, load and faults at the same time. The judge (`tests/chaos/checker.py`) imports nothing of the
product: it compares what was asked, how each turn ended and the histories with what the scripted model must have said
to exactly the turns before. `tests/chaos/test_checker.py` shows that it sees each single fault. A turn is allowed ten
attempts here instead of three, because fifty kills of three workers hit some turns again and again.

*Lost*: accepted, and not ended, or not in the history as its end demands. *Half*: a question without its whole answer.
*Blind*: an answer that was made with another history than the turns before it. *Hit*: how often a turn was running on a
worker that was killed, or lost its hint. *Recovery*: seconds from that to its next claim (from the last such moment,
where a turn was hit again while it waited), at the median, the 95th percentile and the most. *Calls*: requests to
the model for each turn; an answer takes most of a second.

No failure in 50 kills bounds the chance of one per kill to 5.8 % (95 % confidence), no more; other seeds say more.
*Histories as files* is a run with `INTURN_HISTORY=file:…` under 10 kills of workers, 3 zombies, 3 kills of the store
and 3 of the endpoint. `python -m tests.chaos --only ROW` runs one row and leaves the others as they are.
The last row is the thirty lines that one writes first (`tests/chaos/baseline/`): a late-acknowledged Celery task around
the stock chain, with a visibility timeout of 10 s where the default is an hour. It has no cancel, no idempotency key
and no order, and is put under kills of workers only.

| Faults | Times | Turns | Completed | Lost | Doubled | Reordered | Half | Blind | Invented | Hit | Recovery | Calls |
|---|---|---|---|---|---|---|---|---|---|---|---|---|
{rows}

## A fail-over

The primary dies while its replica lags, and Sentinels promote the replica. {asked} turns are asked for in that time;
what is not confirmed is refused with 503 and can be asked for again.

| `INTURN_REPLICAS` | Confirmed while the replica lagged | Lost |
|---|---|---|
{failovers}
"""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--turns", type=int, default=10_000, help="in all runs together, about, but for the baseline")
    parser.add_argument("--only", choices=RUNS, metavar="ROW", help="this row alone; the others stay as they are")
    options = parser.parse_args()
    rows, clean = [], True
    for name in [options.only] if options.only else RUNS:
        outcome = chaos_row(name, turns=options.turns, seed=options.seed)
        clean = clean and outcome.verdict.is_clean
        rows.append(said(outcome.row(name)))
    if options.only:
        PAGE.write_text(with_row(PAGE.read_text(encoding="utf-8"), rows[0]), encoding="utf-8")
        return 0 if clean else 1
    baseline = chaos(Counter(kill_worker=10), turns=options.turns // 10, seed=options.seed, stack_type=Baseline)
    rows.append(said(baseline.row("*thirty lines:* 10 kills of workers")))
    failovers = {replicas: failed_over(replicas) for replicas in (0, 1)}
    lines = [said(f"| {n} | {len(found.confirmed)} | {len(found.lost)} |") for n, found in failovers.items()]
    PAGE.write_text(page(rows, lines, options.seed), encoding="utf-8")
    return 0 if clean and not failovers[1].lost else 1


def said(line: str) -> str:
    sys.stdout.write(f"{line}\n")
    return line


def chaos_row(name: str, *, turns: int, seed: int) -> Outcome:
    share = turns // 2 if name.startswith("50 kills") else turns // 14
    return chaos(RUNS[name], turns=share, seed=seed, files=name == FILES)


def chaos(
    faults: Counter[str], *, turns: int, seed: int, files: bool = False, stack_type: type[Stack] = Stack
) -> Outcome:
    """One run with a fault every so often that the last comes when the last turns are submitted."""
    per_second = 25.0
    with tempfile.TemporaryDirectory() as directory:
        history = {"INTURN_HISTORY": f"file:{directory}/histories"} if files else {}
        stack = stack_type(Path(directory), workers=3, settings={**SETTINGS, **history})
        try:
            return run(
                stack,
                sessions=SESSIONS,
                turns=turns // SESSIONS,
                per_second=per_second,
                seed=seed,
                every_seconds=turns / per_second / (faults.total() + 1),
                faults=faults,
            )
        finally:
            stack.stop()


def failed_over(replicas: int) -> FailedOver:
    with tempfile.TemporaryDirectory() as directory:
        store = ReplicatedStore(Path(directory))
        stack = Stack(Path(directory), workers=1, settings={"INTURN_REPLICAS": str(replicas)}, store=store)
        try:
            return fail_over(stack, store, range(CONFIRMED))
        finally:
            stack.stop()


def with_row(page: str, row: str) -> str:
    """The page, with this row in the place of the one of its name, or as the last before the thirty lines."""
    name, *_ = row.partition(" | ")
    lines = page.splitlines()
    known = [n for n, line in enumerate(lines) if line.startswith(f"{name} | ")]
    if known:
        lines[known[0]] = row
    else:
        lines.insert(next(n for n, line in enumerate(lines) if line.startswith("| *thirty lines")), row)
    return "\n".join(lines) + "\n"


def page(rows: list[str], failovers: list[str], seed: int) -> str:
    return PAGE_TEXT.format(seed=seed, rows="\n".join(rows), asked=CONFIRMED, failovers="\n".join(failovers))


if __name__ == "__main__":
    sys.exit(main())
