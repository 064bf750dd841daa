"""The throughput of one, two and three workers, and the number of workers that one Redis can serve."""

import time

from bench.figures import Figure, Result, Series, median
from bench.load import LoadResult, long_poll_turn, run_load
from bench.stacks import InTurnStack, running

TEXT = "What does cosine mean? [delay 0.5] [words 20]"
IN_FLIGHT = 300
WORKER_COUNTS = (1, 2, 3)


def measure(*, quick: bool) -> Result:
    rounds, turns = (1, 600) if quick else (2, 1500)
    speed, store_seconds_per_turn = {}, {}
    for workers in WORKER_COUNTS:
        with running(InTurnStack, workers=workers) as stack:
            _run(stack, turns)
            runs = [_run(stack, turns) for _ in range(rounds)]
        # Turns per second if every worker had a core. Here, callers, model and web process use the same two cores.
        speed[workers] = median([workers * 1000 / run.cpu_ms_per_turn for run, _ in runs])
        store_seconds_per_turn[workers] = median([load / run.turns_per_second for run, load in runs])
    scaling_label = "Throughput of two workers, as a multiple of one, by the CPU that they use"
    capacity_label = "Workers that one Redis can serve, if each worker has a core"
    capacity = 1 / (store_seconds_per_turn[2] * speed[1])
    return Result(
        figures=[
            Figure(label="Turns per second of a worker with one core", value=speed[1], unit="/s"),
            Figure(label=scaling_label, value=speed[2] / speed[1], unit="times", min_value=1.8),
            Figure(label=capacity_label, value=capacity, unit=""),
        ],
        series=[
            Series(
                name="workers",
                x_label="worker processes",
                y_label="turns per second, with a core for each",
                x_values=WORKER_COUNTS,
                curves={"InTurn": list(speed.values())},
            )
        ],
    )


def _run(stack: InTurnStack, turns: int) -> tuple[LoadResult, float]:
    """Run a load; return its result and the load of the store, in cores."""
    started_at, store_before = time.monotonic(), stack.store_seconds()
    result = run_load(
        stack.url, long_poll_turn, text=TEXT, turns=turns, in_flight=IN_FLIGHT, cpu_seconds=stack.worker_seconds
    )
    return result, (stack.store_seconds() - store_before) / (time.monotonic() - started_at)
