"""The cost of accepting a turn; there is no worker to run it."""

import itertools

from bench.caller import Caller
from bench.figures import Figure, Result, median
from bench.load import LoadResult, run_load
from bench.stacks import InTurnStack, running

CALLERS = 20


def measure(*, quick: bool) -> Result:
    rounds, turns = (1, 1000) if quick else (3, 4000)
    numbers = itertools.count()

    def submit(caller: Caller, session: str, text: str) -> None:
        caller.submit(f"{session}-{next(numbers)}", text)

    with running(InTurnStack, workers=0) as stack:

        def run() -> LoadResult:
            return run_load(
                stack.url, submit, text="hello", turns=turns, in_flight=CALLERS, cpu_seconds=stack.web_seconds
            )

        run()
        runs = [run() for _ in range(rounds)]
    cost_ms = median([run.cpu_ms_per_turn for run in runs])
    return Result(
        figures=[
            Figure(label="CPU of accepting a turn, in the web process", value=cost_ms, unit="ms", max_value=1.2),
            Figure(label="Turns accepted per second and core", value=1000 / cost_ms, unit="/s", min_value=700),
        ]
    )
