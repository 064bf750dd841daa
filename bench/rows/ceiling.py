"""The turns per second that one core of a primary carries, by the CPU time of its process.

The commands of turns are made beforehand and sent by connections that do nothing else, so that only the store works. A
web process that is subscribed is a connection that reads what the store publishes.

Pipelined commands to a store without a log on disk show the work of the scripts. On many connections the store also
syncs its log after each batch of commands, as that of `make up` does; the time in which it waits for the disk does not
count.
"""

import contextlib
import socket
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import gevent

from bench.figures import Figure, Result, Series, interleave, median
from bench.replay import DEPTH, Load, Recorder, connection_to, cpu_seconds, encode, load_scripts, send
from tests.support.server import DURABLE, NOT_DURABLE, Server
from turns.backend import keys

# In each load, the sessions have five turns one after the other, so that their histories are equally long.
PIPELINED = {
    "polled": Load(turns=1300, connections=1),
    "streamed in 100 pieces": Load(turns=400, connections=1, pieces=100),
}
LOADS = {
    "polled": Load(turns=1280, connections=64, sessions=4),
    "streamed in 100 pieces": Load(turns=800, connections=16, sessions=10, pieces=100),
}
SUBSCRIBERS = (0, 1, 4, 10)  # web processes


def measure(*, quick: bool) -> Result:
    with _prepared(DURABLE) as durable, _prepared(NOT_DURABLE) as volatile:
        runs = {
            f"{name} {count}": partial(_run, *durable, load, subscribers=count)
            for name, load in LOADS.items()
            for count in SUBSCRIBERS
        }
        runs |= {name: partial(_run, *volatile, load, depth=DEPTH) for name, load in PIPELINED.items()}
        for warm_up in ("polled", "polled 0"):
            runs[warm_up]()
        speeds = {name: median(found) for name, found in interleave(1 if quick else 3, runs).items()}
    series = Series(
        name="subscribers",
        x_label="subscribed web processes",
        y_label="turns per second of one core of a primary",
        x_values=SUBSCRIBERS,
        curves={name: [speeds[f"{name} {count}"] for count in SUBSCRIBERS] for name in LOADS},
    )
    return Result(figures=[figure for name in LOADS for figure in _figures(name, speeds)], series=[series])


def _figures(name: str, speeds: Mapping[str, float]) -> Iterator[Figure]:
    label = f"Turns per second of one core of a primary: {name}, pipelined, without a log on disk"
    yield Figure(label=label, value=speeds[name], unit="/s")
    for count in SUBSCRIBERS:
        label = f"… on {LOADS[name].connections} connections, with `appendfsync always`, {_processes(count)} subscribed"
        yield Figure(label=label, value=speeds[f"{name} {count}"], unit="/s")


def _processes(count: int) -> str:
    return f"{count or 'no'} web process{'es' * (count > 1)}"


@contextlib.contextmanager
def _prepared(options: Sequence[str]) -> Iterator[tuple[Server, Recorder]]:
    with tempfile.TemporaryDirectory(prefix="inturn-bench-") as directory:
        server, recorder = Server(Path(directory), options=options), Recorder()
        server.start()
        try:
            load_scripts(server, [recorder])
            yield server, recorder
        finally:
            server.stop()


def _run(server: Server, recorder: Recorder, load: Load, *, subscribers: int = 0, depth: int = 1) -> float:
    """Return the turns per second that the server would complete if its process had a core for itself."""
    replay = recorder.record(load)
    streamed = replay.live_channels if load.pieces else []
    with _subscribed(server, streamed, subscribers):
        before = cpu_seconds(server)
        send(server, replay.commands, depth=depth)
        return replay.turns / (cpu_seconds(server) - before)


@contextlib.contextmanager
def _subscribed(server: Server, live_channels: Sequence[str], count: int) -> Iterator[None]:
    """Let web processes wait for the ends of turns, and one of them for the events of each of these channels."""
    with contextlib.ExitStack() as stack:
        readers = []
        for number in range(count):
            connection = stack.enter_context(connection_to(server))
            connection.sendall(encode(["SUBSCRIBE", keys.ENDED.name, *live_channels[number::count]]))
            readers.append(gevent.spawn(_drain, connection))
        try:
            yield
        finally:
            gevent.killall(readers)


def _drain(connection: socket.socket) -> None:
    while connection.recv(1 << 16):
        pass
