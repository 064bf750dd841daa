"""Check a Redis Cluster: whether all partitions answer, and whether one primary that goes away stops the others."""

from collections.abc import Iterator
from functools import partial

from supervisor.doctor.finding import Finding, Verdict
from turns.backend.client import Client

COVERAGE = "cluster-require-full-coverage"
CHECK_CLUSTER = "redis-cli --cluster check HOST:PORT names the node that is away, or the slots (docs/operate/store.md)"


def check_cluster(client: Client) -> Iterator[Finding]:
    """Yield the findings about the partitions; none for a store without partitions. Raises `StoreUnavailable`."""
    count = len(client.partitions)
    if count == 1:
        return
    found = client.gather({number: partial(_read_node, one) for number, one in enumerate(client.partitions)})
    if away := [number for number in range(count) if number not in found]:
        observed = f"{len(away)} of {count} do not answer: {', '.join(map(str, away))}"
        yield Finding(Verdict.WRONG, "partitions", observed, CHECK_CLUSTER)
    else:
        yield Finding(Verdict.OK, "partitions", f"all {count} answer")
    if any(needs_all for needs_all, _ in found.values()):
        observed = "a primary that is away stops all partitions"
        yield Finding(Verdict.NOTE, "coverage", observed, f"set {COVERAGE} no at each node")
    if alone := sum(not replicas for _, replicas in found.values()):
        observed = f"{alone} partitions are on a primary without one"
        yield Finding(
            Verdict.NOTE, "replicas", observed, "add replicas, with INTURN_REPLICAS=1; see docs/guides/cluster.md"
        )


def _read_node(partition: Client) -> tuple[bool, int]:
    """Return whether the node of a partition needs all slots to be served, and how many replicas it has."""
    needs_all = partition.read_config(COVERAGE).get(COVERAGE) == "yes"
    return needs_all, int(partition.read_info("replication").get("connected_slaves", 0))
