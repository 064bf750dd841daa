"""What the queue adds to the model's time on a machine that does nothing else: to the answer, and its first word."""

from bench.figures import Figure, Measured, median, percentile
from bench.load import load, polled, streamed
from bench.stacks import Ours, running

DELAY_SECONDS = 0.1
SAID = f"What does cosine mean? [delay {DELAY_SECONDS}]"
STREAMED = f"{SAID} [words 50] [pace 0.01]"


def measure(*, quick: bool) -> Measured:
    turns = 50 if quick else 300
    with running(Ours) as ours:
        load(ours.url, polled, said=SAID, turns=20, in_flight=1)
        answers = load(ours.url, polled, said=SAID, turns=turns, in_flight=1).results
        words = load(ours.url, streamed, said=STREAMED, turns=turns // 3, in_flight=1).results
    overheads = [(seconds - DELAY_SECONDS) * 1000 for seconds in answers]
    firsts = [(first - DELAY_SECONDS) * 1000 for first, _, _ in words]
    return Measured(
        figures=[
            Figure(
                what="Over the model's time, idle, from submit to the answer by long-poll: median",
                value=median(overheads),
                unit="ms",
                most=15,
            ),
            Figure(what="… 99th percentile", value=percentile(overheads, 0.99), unit="ms", most=40),
            Figure(
                what="Added to the model's first word by queue and stream, idle: median",
                value=median(firsts),
                unit="ms",
                most=60,
            ),
        ]
    )
