"""Accepting alone: no worker takes what is submitted."""

import itertools

from bench.caller import Caller
from bench.figures import Figure, Measured, median
from bench.load import Run, load
from bench.stacks import Ours, running

CALLERS = 20


def measure(*, quick: bool) -> Measured:
    rounds, turns = (1, 1000) if quick else (3, 4000)
    numbers = itertools.count()

    def submit(caller: Caller, session: str, said: str) -> None:
        caller.submit(f"{session}-{next(numbers)}", said)

    with running(Ours, workers=0) as ours:

        def run() -> Run:
            return load(ours.url, submit, said="hello", turns=turns, in_flight=CALLERS, cpu_seconds=ours.web_seconds)

        run()
        runs = [run() for _ in range(rounds)]
    cost = median([run.cpu_ms_per_turn for run in runs])
    return Measured(
        figures=[
            Figure(what="CPU of accepting a turn, in the web process", value=cost, unit="ms", most=1.2),
            Figure(what="Turns accepted per second of a core", value=1000 / cost, unit="/s", least=700),
        ]
    )
