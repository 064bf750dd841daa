"""The pools of a worker beside each other: gevent, which is the default, and threads."""

from collections.abc import Callable
from functools import partial

from bench import kernel
from bench.figures import Figure, Measured, alternately, median
from bench.load import Run, streamed
from bench.stacks import IN_FLIGHT, Ours, running

SAID = "What does cosine mean? [delay 0.5] [words 20]"
LONG = "What does cosine mean? [words 100] [pace 0.01]"
MOST = Ours.most_in_flight


def measure(*, quick: bool) -> Measured:
    rounds, turns = (1, 400) if quick else (3, 800)
    with running(Ours, settings=_with("gevent")) as greenlets, running(Ours, settings=_with("threads")) as threads:
        pools: dict[str, Ours] = {"gevent": greenlets, "threads": threads}

        def in_both(run: Callable[[Ours], Run]) -> dict[str, list[Run]]:
            return alternately(rounds, {name: partial(run, pool) for name, pool in pools.items()})

        def polled(pool: Ours, in_flight: int = IN_FLIGHT) -> Run:
            return pool.load(said=SAID, turns=turns, in_flight=in_flight)

        for pool in pools.values():
            pool.load(said=SAID, turns=turns // 4, in_flight=IN_FLIGHT)  # what is done once is done
        costs = in_both(polled)
        many = in_both(lambda pool: polled(pool, MOST))
        long = in_both(lambda pool: pool.load(one=streamed, said=LONG, turns=turns // 4, in_flight=IN_FLIGHT))
        used_mb = {name: kernel.resident_mb(pool.workers[0].pid) for name, pool in pools.items()}
    return Measured(
        figures=[
            *_both(f"CPU of a polled turn, {IN_FLIGHT} in flight", _cost(costs), "ms"),
            *_both(f"CPU of a streamed turn of 100 words with its reader, {IN_FLIGHT} in flight", _cost(long), "ms"),
            *_both(f"Turns per second, a model of 0.5 s, {MOST} in flight, one worker", _speed(many), "/s"),
            *_both("Memory of that worker afterwards", used_mb, "MB"),
        ]
    )


def _with(pool: str) -> dict[str, str]:
    return {"INTURN_POOL": pool, "INTURN_CONCURRENCY": str(MOST)}


def _cost(measured: dict[str, list[Run]]) -> dict[str, float]:
    return {name: median([run.cpu_ms_per_turn for run in runs]) for name, runs in measured.items()}


def _speed(measured: dict[str, list[Run]]) -> dict[str, float]:
    return {name: median([run.turns_per_second for run in runs]) for name, runs in measured.items()}


def _both(what: str, values: dict[str, float], unit: str) -> list[Figure]:
    return [
        Figure(what=f"{what}: gevent", value=values["gevent"], unit=unit),
        Figure(what="… with threads", value=values["threads"], unit=unit),
    ]
