"""`make chaos-files`: two thousand turns with images under kills of each process; writes the page with the result.

With `--cluster` the store is a Redis Cluster of three primaries, most files are lent, and only the row is printed.
"""

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.chaos.cluster.nemesis import ClusterNemesis
from tests.chaos.files.run import Outcome, prepare, run
from tests.chaos.nemesis import Nemesis
from tests.chaos.supervised import SupervisedStack
from tests.support.cluster.nodes import ClusterNodes
from tools import ROOT

PAGE = ROOT / "docs" / "explanation" / "files_under_kills.md"
FAULTS = Counter(kill_worker=10, kill_web=10, kill_store=5)
CLUSTER_FAULTS = Counter(kill_worker=10, kill_web=10, kill_primary=5, move_partition=5, move_partition_at_once=5)
NAMES = {
    "kill_worker": "kills of workers",
    "kill_web": "kills of the endpoint",
    "kill_store": "kills of the store",
    "kill_primary": "kills of primaries",
    "move_partition": "moves of partitions key by key",
    "move_partition_at_once": "moves of partitions as a whole",
}
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
    parser.add_argument("--cluster", action="store_true", help="use a Redis Cluster and write no page")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        outcome = _run(Path(name), seed=options.seed, scale=options.scale, is_cluster=options.cluster)
    kinds = ", ".join(f"{count} {NAMES[name]}" for name, count in sorted(outcome.faults.items()))
    row = outcome.row
    sys.stdout.write(f"| {kinds} | {row} |\n")
    if outcome.verdict.unseen:
        sys.stdout.write(f"not seen by the model: {len(outcome.verdict.unseen)}\n")
    if not options.cluster:
        PAGE.write_text(PAGE_TEXT.format(seed=options.seed, faults=kinds, row=row), encoding="utf-8")
    return 0 if outcome.verdict.is_clean else 1


def _run(directory: Path, *, seed: int, scale: float, is_cluster: bool) -> Outcome:
    planned = CLUSTER_FAULTS if is_cluster else FAULTS
    faults = Counter({name: max(1, round(count * scale)) for name, count in planned.items()})
    turns = max(1, round(TURNS * scale))
    settings, store = prepare(directory), None
    if is_cluster:
        # A promoted primary then has all that was confirmed.
        settings, store = settings | {"INTURN_REPLICAS": "1"}, ClusterNodes(directory, primaries=3, replicas=1)
    with SupervisedStack(directory, workers=2, settings=settings, store=store) as stack:
        return run(
            stack,
            directory,
            sessions=SESSIONS,
            turns=turns,
            pause_seconds=PAUSE_SECONDS,
            seed=seed,
            every_seconds=turns * PAUSE_SECONDS / (faults.total() + 1),
            faults=faults,
            nemesis_type=ClusterNemesis if is_cluster else Nemesis,
        )


if __name__ == "__main__":
    sys.exit(main())
