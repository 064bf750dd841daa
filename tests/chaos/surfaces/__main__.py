"""`make chaos-surfaces`: two thousand turns of all clients under twenty kills; writes their rows of the page."""

import argparse
import math
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.chaos.page import PAGE, with_table
from tests.chaos.supervised import SupervisedStack
from tests.chaos.surfaces.clients import CLIENTS
from tests.chaos.surfaces.run import TABLE_HEAD, run, total

FAULTS = Counter(kill_worker=10, kill_web=10)
TURNS = 2000
SESSIONS = 8  # of each client
EVERY_SECONDS = 8.0
SETTINGS = {"INTURN_LOG_FORMAT": "json", "INTURN_HISTORY_WINDOW": "100000"}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--scale", type=float, default=1.0, help="the part of the turns and kills to run")
    options = parser.parse_args()
    faults = Counter({name: max(1, round(count * options.scale)) for name, count in FAULTS.items()})
    turns = math.ceil(TURNS * options.scale / SESSIONS / len(CLIENTS))
    with tempfile.TemporaryDirectory() as name, SupervisedStack(Path(name), workers=3, settings=SETTINGS) as stack:
        outcomes = run(
            stack,
            CLIENTS,
            sessions=SESSIONS,
            turns=turns,
            faults=faults,
            every_seconds=EVERY_SECONDS,
            seed=options.seed,
        )
    all_together = total(list(outcomes.values()))
    rows = [outcome.row(name) for name, outcome in outcomes.items()]
    rows.append(all_together.row(f"**all, {faults.total()} kills**"))
    sys.stdout.write("\n".join([*rows, ""]))
    for outcome in outcomes.values():
        sys.stderr.write("".join(f"not as it must be: {outcome}\n" for _ in range(not outcome.is_clean)))
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8"), TABLE_HEAD, rows), encoding="utf-8")
    return 0 if all_together.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
