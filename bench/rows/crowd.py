"""A thousand at once: turns in one worker process, and long polls and streams in one web process."""

import time

import gevent

from bench import procfs
from bench.caller import Caller
from bench.figures import Figure, Result, median, percentile
from bench.load import long_poll_turn, run_load
from bench.stacks import InTurnStack, running

MODEL_SECONDS = 5.0
TEXT = f"What does cosine mean? [delay {MODEL_SECONDS}] [words 20]"


def measure(*, quick: bool) -> Result:
    count = 200 if quick else 1000
    return Result(figures=[*_turns_in_one_worker(count), *_readers_of_one_web_process(count)])


def _turns_in_one_worker(count: int) -> list[Figure]:
    with running(InTurnStack, settings={"INTURN_CONCURRENCY": str(count), "INTURN_LOG_LEVEL": "info"}) as stack:
        run_load(stack.url, long_poll_turn, text="hello", turns=100, in_flight=100)
        run = run_load(
            stack.url, long_poll_turn, text=TEXT, turns=3 * count, in_flight=count, ramp_up_seconds=MODEL_SECONDS
        )
        memory_mb = procfs.group_memory_mb(stack.workers[0].pid)
        lost = stack.logs().count("lease.lost") + stack.logs().count("turn.rescued")
    overhead_seconds = percentile([seconds - MODEL_SECONDS for seconds in run.results], 0.95)
    label = f"{count:,} turns in flight in one worker, model time 5 s: memory"
    return [
        Figure(label=label, value=memory_mb, unit="MB", max_value=300),
        Figure(label="… leases lost, turns rescued", value=lost, unit="", max_value=0),
        Figure(label="… time added to the model's: 95th percentile", value=overhead_seconds, unit="s", max_value=1),
    ]


def _readers_of_one_web_process(count: int) -> list[Figure]:
    """Open long polls and streams of turns that no worker runs, and submit other turns meanwhile."""
    settings = {"INTURN_MAX_WAITERS": str(count), "INTURN_MAX_STREAMS": str(count)}
    with running(InTurnStack, workers=0, settings=settings) as stack:
        caller = Caller(stack.url)
        turns = [caller.submit(f"crowd-{number}", "hello") for number in range(count)]
        readers = [gevent.spawn(_wait, stack, turn) for turn in turns]
        readers += [gevent.spawn(_stream, stack, turn) for turn in turns]
        gevent.sleep(5)
        durations_ms = []
        for number in range(200):
            started_at = time.perf_counter()
            caller.submit(f"meanwhile-{number}", "hello")
            durations_ms.append((time.perf_counter() - started_at) * 1000)
            gevent.sleep(0.02)
        memory_mb = procfs.largest_process_mb(stack.web.pid)
        refused = [reader for reader in readers if reader.ready()]
        gevent.killall(readers)
        caller.close()
    label = f"{count:,} long polls and {count:,} streams open in one web process: time of a submit, median"
    return [
        Figure(label=label, value=median(durations_ms), unit="ms"),
        Figure(label="… 95th percentile", value=percentile(durations_ms, 0.95), unit="ms", max_value=100),
        Figure(label="… long polls and streams refused", value=len(refused), unit="", max_value=0),
        Figure(label="… memory of that process", value=memory_mb, unit="MB"),
    ]


def _wait(stack: InTurnStack, turn: str) -> None:
    Caller(stack.url).wait_for_turn(turn)


def _stream(stack: InTurnStack, turn: str) -> None:
    list(Caller(stack.url).read_events(turn))
