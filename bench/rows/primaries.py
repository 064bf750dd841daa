"""The turns per second that one, two and three primaries carry, and what the cluster mode of a server costs.

Each primary gets the commands of turns in its own partitions, made beforehand, so that only the stores work: one after
the other, because they share the cores of this machine. The CPU time of all of them counts, also of those that have
nothing to do. Turns per second are what they would complete if each had a core for itself.
"""

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.figures import Figure, Result, Series, interleave, median
from bench.replay import DEPTH, Load, Recorder, cpu_seconds, load_scripts, send
from tests.support.cluster.nodes import SLOTS, ClusterNodes
from tests.support.server import Server
from turns.backend.partition.tags import hash_tags, slot_of

PARTITIONS = 24
COUNTS = (1, 2, 3)  # primaries
LOAD = Load(turns=60, connections=1)  # in each partition, so that all runs have the same sessions
MAX_CLUSTER_FACTOR = 1.08


class _Primaries:
    """Servers that are ready for turns, each with the recorders of its partitions."""

    def __init__(self, servers: Sequence[Server], recorders: Sequence[Sequence[Recorder]]) -> None:
        self._parts = list(zip(servers, recorders, strict=True))
        for server, own in self._parts:
            load_scripts(server, own)

    def turns_per_second(self) -> float:
        """Run turns in each partition; return the sum of what all primaries would complete on a core each."""
        replays = [(server, recorder.record(LOAD)) for server, own in self._parts for recorder in own]
        before = self._cpu_seconds()
        for server, replay in replays:
            send(server, replay.commands, depth=DEPTH)
        return len(self._parts) * sum(replay.turns for _, replay in replays) / (self._cpu_seconds() - before)

    def _cpu_seconds(self) -> float:
        return sum(cpu_seconds(server) for server, _ in self._parts)


def measure(*, quick: bool) -> Result:
    rounds = 1 if quick else 3
    with contextlib.ExitStack() as stack:
        clusters = {count: stack.enter_context(_cluster(count)) for count in COUNTS}
        plain = stack.enter_context(_single())
        runs = {str(count): cluster.turns_per_second for count, cluster in clusters.items()}
        runs["plain"] = plain.turns_per_second
        interleave(1, runs)  # a warm-up
        measured = interleave(rounds, runs)
    speeds = [median(measured[str(count)]) for count in COUNTS]
    factors = [single / of_one for single, of_one in zip(measured["plain"], measured["1"], strict=True)]
    series = Series(
        name="primaries",
        x_label="primaries",
        y_label="turns per second, with a core for each",
        x_values=COUNTS,
        curves={"InTurn": speeds},
    )
    return Result(figures=_figures(speeds, median(factors)), series=[series])


def _figures(speeds: Sequence[float], factor: float) -> list[Figure]:
    first, *others = speeds
    return [
        Figure(label="Turns per second of a cluster of one primary with a core", value=first, unit="/s"),
        *(
            Figure(label=f"… of {count} primaries, as a multiple of one", value=speed / first, unit="times")
            for count, speed in zip(COUNTS[1:], others, strict=True)
        ),
        Figure(
            label="CPU of the store for a turn in a cluster of one primary, as a multiple of a plain server",
            value=factor,
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
            owners = [slot_of(f"{{{tag}}}") * count // SLOTS for tag in hash_tags(PARTITIONS)]
            recorders = [
                [Recorder(number, partitions=PARTITIONS) for number, owner in enumerate(owners) if owner == primary]
                for primary in range(count)
            ]
            yield _Primaries(nodes.nodes, recorders)
        finally:
            nodes.stop()


@contextlib.contextmanager
def _single() -> Iterator[_Primaries]:
    with tempfile.TemporaryDirectory(prefix="inturn-bench-") as directory:
        server = Server(Path(directory))
        server.start()
        try:
            yield _Primaries([server], [[Recorder() for _ in range(PARTITIONS)]])
        finally:
            server.stop()
