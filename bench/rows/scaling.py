"""Two workers beside one, on two cores; and how many of them one Redis carries."""

import time

from bench.figures import Figure, Measured, Series, alternately, median
from bench.load import Run, load, polled
from bench.stacks import Ours, running

SAID = "What does cosine mean? [delay 0.5] [words 20]"
IN_FLIGHT = 300


def measure(*, quick: bool) -> Measured:
    rounds, turns = (1, 600) if quick else (2, 1500)
    at = (1, 2, 3)
    speed, share = {}, {}
    for workers in at:
        with running(Ours, workers=workers) as ours:

            def run(ours: Ours = ours) -> tuple[Run, float]:
                began_at, store = time.monotonic(), ours.store_seconds()
                done = load(
                    ours.url, polled, said=SAID, turns=turns, in_flight=IN_FLIGHT, cpu_seconds=ours.worker_seconds
                )
                return done, (ours.store_seconds() - store) / (time.monotonic() - began_at)

            run()
            runs = alternately(rounds, {"": run})[""]
        # With a core each, which they have not: callers, model and web process use these two cores as well.
        speed[workers] = median([workers * 1000 / done.cpu_ms_per_turn for done, _ in runs])
        share[workers] = median([store / done.turns_per_second for done, store in runs])
    return Measured(
        figures=[
            Figure(what="Turns per second of a worker's core", value=speed[1], unit="/s"),
            Figure(
                what="Two workers, as a multiple of one, by the CPU that they use",
                value=speed[2] / speed[1],
                unit="times",
                least=1.8,
            ),
            Figure(
                what="Workers that one Redis carries when each has a core", value=1 / (share[2] * speed[1]), unit=""
            ),
        ],
        series=[
            Series(
                name="workers",
                x="worker processes",
                y="turns per second, a core each",
                at=at,
                lines={"InTurn": list(speed.values())},
            )
        ],
    )
