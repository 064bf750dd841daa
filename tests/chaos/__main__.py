"""`make chaos`: about ten thousand turns under faults, one kind at a time, and the thirty lines of Celery beside it."""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from docs.generate import ROOT
from tests.chaos.baseline.stack import Baseline
from tests.chaos.run import Outcome, run
from tests.processes import Stack

PAGE = ROOT / "docs" / "chaos.md"
SESSIONS = 50
SETTINGS = {"INTURN_LOG_FORMAT": "json", "INTURN_HISTORY_WINDOW": "100000", "INTURN_MAX_ATTEMPTS": "10"}

RUNS: Mapping[str, Counter[str]] = {
    "50 kills of workers": Counter(kill_worker=50),
    "frozen workers (zombies)": Counter(freeze_worker=5),
    "store killed": Counter(kill_store=10),
    "broker queue lost": Counter(lose_hints=20),
    "hints times five, and forged": Counter(multiply_hints=20, forge_hints=10),
    "scripts flushed, connections cut": Counter(flush_scripts=20, cut_connections=10),
    "endpoint killed": Counter(kill_web=10),
}

PAGE_TEXT = """\
# What faults leave behind

Written by `make chaos` (seed {seed}): a real endpoint, three real worker processes, a store with
`appendfsync always`, load and faults at the same time. The judge (`tests/chaos/checker.py`) imports nothing of the
product: it compares what was asked, how each turn ended and the histories with what the scripted model must have said
to exactly the turns before. `tests/chaos/test_checker.py` shows that it sees each single fault. A turn is allowed ten
attempts here instead of three, because fifty kills of three workers hit some turns again and again.

*Lost*: accepted, and not ended, or not in the history as its end demands. *Half*: a question without its whole answer.
*Blind*: an answer that was made with another history than the turns before it. *Recovery*: seconds from the kill of a
worker to the next claim of a turn that it held, at the median, the 95th percentile and the most. *Calls*: requests to
the model for each turn.

No failure in 50 kills bounds the chance of one per kill to 5.8 % (95 % confidence), no more; other seeds say more.
The last row is the thirty lines that one writes first (`tests/chaos/baseline/`): a late-acknowledged Celery task around
the stock chain, with a visibility timeout of 10 s where the default is an hour. It has no cancel, no idempotency key
and no order, and is put under kills of workers only.

| Faults | Times | Turns | Completed | Lost | Doubled | Reordered | Half | Blind | Invented | Recovery | Calls |
|---|---|---|---|---|---|---|---|---|---|---|---|
{rows}
"""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--turns", type=int, default=10_000, help="in all runs together, but for the baseline")
    options = parser.parse_args()
    rows, clean = [], True
    for name, faults in RUNS.items():
        share = options.turns // 2 if name.startswith("50 kills") else options.turns // 12
        outcome = chaos(faults, turns=share, seed=options.seed)
        clean = clean and outcome.verdict.is_clean
        rows.append(outcome.row(name))
        sys.stdout.write(f"{rows[-1]}\n")
    baseline = chaos(Counter(kill_worker=10), turns=options.turns // 10, seed=options.seed, stack_type=Baseline)
    rows.append(baseline.row("*thirty lines:* 10 kills of workers"))
    sys.stdout.write(f"{rows[-1]}\n")
    PAGE.write_text(page(rows, options.seed), encoding="utf-8")
    return 0 if clean else 1


def chaos(faults: Counter[str], *, turns: int, seed: int, stack_type: type[Stack] = Stack) -> Outcome:
    """One run with a fault every so often that the last comes when the last turns are submitted."""
    per_second = 25.0
    with tempfile.TemporaryDirectory() as directory:
        stack = stack_type(Path(directory), workers=3, settings=SETTINGS)
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


def page(rows: list[str], seed: int) -> str:
    return PAGE_TEXT.format(seed=seed, rows="\n".join(rows))


if __name__ == "__main__":
    sys.exit(main())
