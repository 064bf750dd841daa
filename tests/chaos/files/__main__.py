"""`make chaos-files`: two thousand turns with images under kills of each process; writes the page with the result."""

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.chaos.files.run import prepare, run
from tests.chaos.supervised import SupervisedStack
from tools import ROOT

PAGE = ROOT / "docs" / "explanation" / "files_under_kills.md"
FAULTS = Counter(kill_worker=10, kill_web=10, kill_store=5)
NAMES = {"kill_worker": "workers", "kill_web": "the endpoint", "kill_store": "the store"}
SESSIONS = 40
TURNS = 50
PAUSE_SECONDS = 2.0
PAGE_TEXT = """\
# Files under kills

Written by `make chaos-files` (seed {seed}): callers upload images, submit turns with them and erase a third of the
sessions, while worker processes, endpoint processes and the store are killed. Each fourth upload is referred to by no
turn, and unused files expire after four seconds instead of an hour. `tests/chaos/files/check.py` compares the
histories, the bytes that the endpoint returns and that the model received, and the directory on the disk.

- *Lacking*: committed turns whose file is not there or has other bytes, or whose bytes the model has not received.
- *Left*: files on the disk to which no turn and no session refers.

| Faults | Turns | Uploads | Files kept | Not completed | Lacking | Left |
|---|---|---|---|---|---|---|
| {faults} | {row} |
"""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--scale", type=float, default=1.0, help="the part of the turns and faults to run")
    options = parser.parse_args()
    faults = Counter({name: max(1, round(count * options.scale)) for name, count in FAULTS.items()})
    turns = max(1, round(TURNS * options.scale))
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with SupervisedStack(directory, workers=2, settings=prepare(directory)) as stack:
            outcome = run(
                stack,
                directory,
                sessions=SESSIONS,
                turns=turns,
                pause_seconds=PAUSE_SECONDS,
                seed=options.seed,
                every_seconds=turns * PAUSE_SECONDS / (faults.total() + 1),
                faults=faults,
            )
    kinds = ", ".join(f"{count} kills of {NAMES[name]}" for name, count in sorted(outcome.faults.items()))
    row = outcome.row
    sys.stdout.write(f"| {kinds} | {row} |\n")
    if outcome.verdict.unseen:
        sys.stdout.write(f"not seen by the model: {len(outcome.verdict.unseen)}\n")
    PAGE.write_text(PAGE_TEXT.format(seed=options.seed, faults=kinds, row=row), encoding="utf-8")
    return 0 if outcome.verdict.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
