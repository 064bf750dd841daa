"""The turns per second that one core of a primary carries, by the CPU time of its process.

The commands of turns are made beforehand and sent by connections that do nothing else, so that only the store works. A
web process that is subscribed is a connection that reads what the store publishes.
"""

import contextlib
import socket
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import gevent

from bench.figures import Figure, Result, Series, interleave, median
from bench.replay import DEPTH, Load, Recorder, connection_to, cpu_seconds, encode, load_scripts, send
from tests.support.server import Server
from turns.backend import keys

LOADS = {
    "polled": Load(turns=1280, connections=64),
    # Each connection emits the pieces of twenty turns in one call, as a worker does.
    "streamed in 100 pieces": Load(turns=320, connections=16, pieces=100),
}
PIPELINED = Load(turns=1280, connections=1)
SUBSCRIBERS = (0, 1, 4, 10)  # web processes


def measure(*, quick: bool) -> Result:
    with _prepared() as (server, recorder):
        run = partial(_run, server, recorder)
        runs = {
            f"{name} {count}": partial(run, load, subscribers=count)
            for name, load in LOADS.items()
            for count in SUBSCRIBERS
        }
        runs["pipelined"] = partial(run, PIPELINED, depth=DEPTH)
        run(PIPELINED, depth=DEPTH)  # a warm-up
        speeds = {name: median(found) for name, found in interleave(1 if quick else 3, runs).items()}
    curves = {name: [speeds[f"{name} {count}"] for count in SUBSCRIBERS] for name in LOADS}
    series = Series(
        name="subscribers",
        x_label="subscribed web processes",
        y_label="turns per second of one core of a primary",
        x_values=SUBSCRIBERS,
        curves=curves,
    )
    label = "Turns per second of one core of a primary: polled, pipelined"
    return Result(
        figures=[
            Figure(label=label, value=speeds["pipelined"], unit="/s"),
            *(figure for name, curve in curves.items() for figure in _figures(name, curve)),
        ],
        series=[series],
    )


def _figures(name: str, speeds: Sequence[float]) -> list[Figure]:
    return [
        Figure(
            label=f"… {name}, on {LOADS[name].connections} connections, {_processes(count)} subscribed",
            value=speed,
            unit="/s",
        )
        for count, speed in zip(SUBSCRIBERS, speeds, strict=True)
    ]


def _processes(count: int) -> str:
    return f"{count or 'no'} web process{'es' * (count > 1)}"


@contextlib.contextmanager
def _prepared() -> Iterator[tuple[Server, Recorder]]:
    with tempfile.TemporaryDirectory(prefix="inturn-bench-") as directory:
        server, recorder = Server(Path(directory)), Recorder()
        server.start()
        try:
            load_scripts(server, [recorder])
            yield server, recorder
        finally:
            server.stop()


def _run(server: Server, recorder: Recorder, load: Load, *, subscribers: int = 0, depth: int = 1) -> float:
    """Return the turns per second that the server would complete if its process had a core for itself."""
    replay = recorder.record(load)
    with _subscribed(server, replay.live_channels, subscribers):
        before = cpu_seconds(server)
        send(server, replay.commands, depth=depth)
        return replay.turns / (cpu_seconds(server) - before)


@contextlib.contextmanager
def _subscribed(server: Server, live_channels: Sequence[str], count: int) -> Iterator[None]:
    """Let web processes wait for the ends of turns, and one of them for the events of each session."""
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
