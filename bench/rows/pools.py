"""Comparison of the worker's pools: gevent, which is the default, and threads."""

from collections.abc import Callable
from functools import partial

from bench import procfs
from bench.figures import Figure, Result, interleave, median
from bench.load import LoadResult, stream_turn
from bench.stacks import IN_FLIGHT, InTurnStack, running

TEXT = "What does cosine mean? [delay 0.5] [words 20]"
STREAMED_TEXT = "What does cosine mean? [words 100] [pace 0.01]"
MAX_IN_FLIGHT = InTurnStack.max_in_flight


def measure(*, quick: bool) -> Result:
    rounds, turns = (1, 400) if quick else (3, 800)
    with (
        running(InTurnStack, settings=_settings("gevent")) as gevent_stack,
        running(InTurnStack, settings=_settings("threads")) as threads_stack,
    ):
        stacks: dict[str, InTurnStack] = {"gevent": gevent_stack, "threads": threads_stack}

        def run_both(run: Callable[[InTurnStack], LoadResult]) -> dict[str, list[LoadResult]]:
            return interleave(rounds, {name: partial(run, stack) for name, stack in stacks.items()})

        def run_streams(stack: InTurnStack) -> LoadResult:
            return stack.run_load(text=STREAMED_TEXT, turns=turns // 4, in_flight=IN_FLIGHT, run_turn=stream_turn)

        for stack in stacks.values():  # warm up
            stack.run_load(text=TEXT, turns=turns // 4, in_flight=IN_FLIGHT)
        polled = run_both(lambda stack: stack.run_load(text=TEXT, turns=turns, in_flight=IN_FLIGHT))
        fastest = run_both(lambda stack: stack.run_load(text=TEXT, turns=turns, in_flight=MAX_IN_FLIGHT))
        streamed = run_both(run_streams)
        memory_mb = {name: procfs.group_memory_mb(stack.workers[0].pid) for name, stack in stacks.items()}
    stream_label = f"CPU of a streamed turn of 100 words with its reader, {IN_FLIGHT} in flight"
    speed_label = f"Turns per second, model time 0.5 s, {MAX_IN_FLIGHT} in flight, one worker"
    return Result(
        figures=[
            *_both(f"CPU of a polled turn, {IN_FLIGHT} in flight", _costs_ms(polled), "ms"),
            *_both(stream_label, _costs_ms(streamed), "ms"),
            *_both(speed_label, _turns_per_second(fastest), "/s"),
            *_both("Memory of that worker afterwards", memory_mb, "MB"),
        ]
    )


def _settings(pool: str) -> dict[str, str]:
    return {"INTURN_POOL": pool, "INTURN_CONCURRENCY": str(MAX_IN_FLIGHT)}


def _costs_ms(results: dict[str, list[LoadResult]]) -> dict[str, float]:
    return {name: median([run.cpu_ms_per_turn for run in runs]) for name, runs in results.items()}


def _turns_per_second(results: dict[str, list[LoadResult]]) -> dict[str, float]:
    return {name: median([run.turns_per_second for run in runs]) for name, runs in results.items()}


def _both(label: str, values: dict[str, float], unit: str) -> list[Figure]:
    return [
        Figure(label=f"{label}: gevent", value=values["gevent"], unit=unit),
        Figure(label="… with threads", value=values["threads"], unit=unit),
    ]
