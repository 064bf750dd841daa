"""What a turn of 100 words costs with a reader of its stream; beside the chain alone, stock and ours, and raw HTTP."""

from bench.alone import cpu_ms
from bench.figures import Figure, Measured, alternately, median
from bench.load import load, streamed
from bench.stacks import IN_FLIGHT, Ours, running

SAID = "What does cosine mean? [words 100] [pace 0.01]"


def measure(*, quick: bool) -> Measured:
    rounds, turns = (1, 300) if quick else (3, 600)
    with running(Ours) as ours:

        def read() -> float:
            used = lambda: ours.web_seconds() + ours.worker_seconds()  # noqa: E731  # as the target says: no store
            return load(
                ours.url,
                streamed,
                said=SAID,
                turns=turns,
                in_flight=IN_FLIGHT,
                cpu_seconds=used,
                begin=ours.begin,
            ).cpu_ms_per_turn

        def alone(kind: str) -> float:
            return cpu_ms(kind, ours, SAID, turns=turns // 3, in_flight=IN_FLIGHT)

        read()
        runs = alternately(
            rounds,
            {
                "read": read,
                "stock": lambda: alone("stock"),
                "lean": lambda: alone("lean"),
                "raw": lambda: alone("raw"),
            },
        )
    cost = {name: median(values) for name, values in runs.items()}
    return Measured(
        figures=[
            Figure(
                what="CPU of a streamed turn of 100 words with its reader: web and worker",
                value=cost["read"],
                unit="ms",
                most=15,
            ),
            Figure(
                what="… the stock chain's `stream` alone, without a queue or a reader", value=cost["stock"], unit="ms"
            ),
            Figure(what="… as a share of that", value=cost["read"] / cost["stock"], unit="", most=1 / 3),
            Figure(what="… our chain alone", value=cost["lean"], unit="ms"),
            Figure(what="… raw HTTP: the same bytes, nothing parsed", value=cost["raw"], unit="ms"),
        ]
    )
