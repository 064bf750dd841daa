"""A short form of the cluster's rows in `make chaos`: three primaries, each with a replica."""

from collections import Counter
from pathlib import Path

from tests.chaos.cluster.nemesis import ClusterNemesis
from tests.chaos.run import run
from tests.support.cluster.nodes import ClusterNodes
from tests.support.processes import Stack

FAULTS = Counter(kill_primary=1, move_partition=6, move_partition_at_once=6)
# A promoted primary then has all turns that were confirmed.
SETTINGS = {"INTURN_LOG_FORMAT": "json", "INTURN_HISTORY_WINDOW": "1000", "INTURN_REPLICAS": "1"}
SEED = 20261123


def test_faults_of_a_cluster_lose_no_turn(tmp_path: Path) -> None:
    cluster = ClusterNodes(tmp_path, primaries=3, replicas=1)
    with Stack(tmp_path, workers=2, settings=SETTINGS, store=cluster) as stack:
        outcome = run(
            stack,
            sessions=48,
            turns=5,
            per_second=40,
            seed=SEED,
            every_seconds=0.3,
            faults=FAULTS,
            nemesis_type=ClusterNemesis,
        )
    assert outcome.verdict.is_clean, outcome.verdict
    assert (outcome.turns, outcome.completed) == (240, 240)
    assert outcome.faults == FAULTS
    assert outcome.served_elsewhere
