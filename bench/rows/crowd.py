"""A thousand at once: turns in one worker process, callers that wait and readers of streams in one web process."""

import time

import gevent

from bench import kernel
from bench.caller import Caller
from bench.figures import Figure, Measured, median, percentile
from bench.load import load, polled
from bench.stacks import Ours, running

MODEL_SECONDS = 5.0


def measure(*, quick: bool) -> Measured:
    crowd = 200 if quick else 1000
    return Measured(figures=[*_in_one_worker(crowd), *_in_one_web(crowd)])


def _in_one_worker(crowd: int) -> list[Figure]:
    said = f"What does cosine mean? [delay {MODEL_SECONDS}] [words 20]"
    with running(Ours, settings={"INTURN_CONCURRENCY": str(crowd), "INTURN_LOG_LEVEL": "info"}) as ours:
        load(ours.url, polled, said="hello", turns=100, in_flight=100)
        run = load(ours.url, polled, said=said, turns=3 * crowd, in_flight=crowd, over_seconds=MODEL_SECONDS)
        used_mb = kernel.resident_mb(ours.workers[0].pid)
        lost = ours.logs().count("lease.lost") + ours.logs().count("turn.rescued")
    late = percentile([seconds - MODEL_SECONDS for seconds in run.results], 0.95)
    return [
        Figure(
            what=f"{crowd:,} turns in flight in one worker, a model of 5 s: memory", value=used_mb, unit="MB", most=300
        ),
        Figure(what="… leases lost, turns rescued", value=lost, unit="", most=0),
        Figure(what="… over the model's time: 95th percentile", value=late, unit="s", most=1),
    ]


def _in_one_web(crowd: int) -> list[Figure]:
    """All of them wait for turns that no worker takes, while others are submitted."""
    with running(
        Ours, workers=0, settings={"INTURN_MAX_WAITERS": str(crowd), "INTURN_MAX_STREAMS": str(crowd)}
    ) as ours:
        caller = Caller(ours.url)
        turns = [caller.submit(f"crowd-{number}", "hello") for number in range(crowd)]
        waiting = [gevent.spawn(_wait, ours, turn) for turn in turns]
        reading = [gevent.spawn(_read, ours, turn) for turn in turns]
        gevent.sleep(5)
        took = []
        for number in range(200):
            began_at = time.perf_counter()
            caller.submit(f"meanwhile-{number}", "hello")
            took.append((time.perf_counter() - began_at) * 1000)
            gevent.sleep(0.02)
        used_mb = kernel.largest_mb(ours.web.pid)
        gone = [greenlet for greenlet in (*waiting, *reading) if greenlet.ready()]
        gevent.killall([*waiting, *reading])
        caller.close()
    return [
        Figure(
            what=f"{crowd:,} long-polls and {crowd:,} streams open in one web process: a submit meanwhile, median",
            value=median(took),
            unit="ms",
        ),
        Figure(what="… 95th percentile", value=percentile(took, 0.95), unit="ms", most=100),
        Figure(what="… of them were turned away", value=len(gone), unit="", most=0),
        Figure(what="… memory of that process", value=used_mb, unit="MB"),
    ]


def _wait(ours: Ours, turn: str) -> None:
    Caller(ours.url).wait(turn)


def _read(ours: Ours, turn: str) -> None:
    list(Caller(ours.url).events(turn))
