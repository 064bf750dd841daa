"""The turns per second that one, two and three primaries carry, and what the cluster mode of a server costs.

Each primary gets the commands of turns in its own partitions, made beforehand, so that only the stores work: one
partition after the other, because they share the cores of this machine. The CPU time of all primaries counts, also of
those that have nothing to do. Turns per second are what they would complete if each had a core for itself.

The turns of one partition run on all stores one after the other and are compared with each other, so that a busy moment
of the machine affects both sides; the figures are medians of these comparisons. The stores write no log on disk, which
would cost all of them the same.
"""

import contextlib
import tempfile
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from operator import truediv
from pathlib import Path

from bench.figures import Figure, Result, Series, median
from bench.replay import DEPTH, Load, Recorder, cpu_seconds, load_scripts, send
from tests.support.cluster.nodes import SLOTS, ClusterNodes
from tests.support.server import Server
from turns.backend.partition.tags import hash_tags, slot_of

PARTITIONS = 24
COUNTS = (1, 2, 3)  # primaries
LOAD = Load(turns=60, connections=1)  # in each partition, so that all runs have the same sessions
MAX_CLUSTER_FACTOR = 1.08


class _Primaries:
    """Servers that are ready for turns, and the recorder and the server of each partition."""

    def __init__(self, servers: Sequence[Server], recorders: Sequence[Recorder], owners: Sequence[Server]) -> None:
        self._servers = servers
        self._parts = list(zip(owners, recorders, strict=True))
        for server in servers:
            load_scripts(server, [recorder for owner, recorder in self._parts if owner is server])

    def cpu_seconds(self, partition: int) -> float:
        """Run turns in this partition, and return the CPU time of all primaries for one turn."""
        server, recorder = self._parts[partition]
        replay = recorder.record(LOAD)
        before = self._cpu_seconds()
        send(server, replay.commands, depth=DEPTH)
        return (self._cpu_seconds() - before) / replay.turns

    def _cpu_seconds(self) -> float:
        return sum(map(cpu_seconds, self._servers))


def measure(*, quick: bool) -> Result:
    with contextlib.ExitStack() as stack:
        stores = {str(count): stack.enter_context(_cluster(count)) for count in COUNTS}
        stores["plain"] = stack.enter_context(_single())
        _measure(stores)  # a warm-up
        found = [_measure(stores) for _ in range(1 if quick else 3)]
    costs = {name: [cost for one in found for cost in one[name]] for name in stores}
    of_one = costs["1"]
    factors = [count * median(list(map(truediv, of_one, costs[str(count)]))) for count in COUNTS]
    speed = 1 / median(of_one)
    series = Series(
        name="primaries",
        x_label="primaries",
        y_label="turns per second, with a core for each",
        x_values=COUNTS,
        curves={"InTurn": [speed * factor for factor in factors]},
    )
    cluster_factor = median(list(map(truediv, of_one, costs["plain"])))
    return Result(figures=_figures(speed, factors, cluster_factor), series=[series])


def _measure(stores: Mapping[str, _Primaries]) -> dict[str, list[float]]:
    """Return the CPU time of a turn in each partition, by store. Each store is as often the first one as any other."""
    costs: dict[str, list[float]] = {name: [] for name in stores}
    order = deque(stores)
    for partition in range(PARTITIONS):
        for name in order:
            costs[name].append(stores[name].cpu_seconds(partition))
        order.rotate()
    return costs


def _figures(speed: float, factors: Sequence[float], cluster_factor: float) -> list[Figure]:
    label = "Turns per second of a cluster of one primary with a core, without a log on disk"
    return [
        Figure(label=label, value=speed, unit="/s"),
        *(
            Figure(label=f"… of {count} primaries, as a multiple of one", value=factor, unit="times")
            for count, factor in zip(COUNTS[1:], factors[1:], strict=True)
        ),
        Figure(
            label="CPU of the store for a turn in a cluster of one primary, as a multiple of a plain server",
            value=cluster_factor,
            unit="times",
            max_value=MAX_CLUSTER_FACTOR,
        ),
    ]


@contextlib.contextmanager
def _cluster(count: int) -> Iterator[_Primaries]:
    with tempfile.TemporaryDirectory(prefix="inturn-bench-") as directory:
        nodes = ClusterNodes(Path(directory), primaries=count)
        try:
            nodes.start()
            owners = [nodes.nodes[slot_of(f"{{{tag}}}") * count // SLOTS] for tag in hash_tags(PARTITIONS)]
            recorders = [Recorder(number, partitions=PARTITIONS) for number in range(PARTITIONS)]
            yield _Primaries(nodes.nodes, recorders, owners)
        finally:
            nodes.stop()


@contextlib.contextmanager
def _single() -> Iterator[_Primaries]:
    with tempfile.TemporaryDirectory(prefix="inturn-bench-") as directory:
        server = Server(Path(directory))
        server.start()
        try:
            yield _Primaries([server], [Recorder() for _ in range(PARTITIONS)], [server] * PARTITIONS)
        finally:
            server.stop()
