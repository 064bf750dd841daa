"""What the queue adds to the model's time on a machine that does nothing else: to the answer, and its first word."""

from bench.caller import POLL_SECONDS
from bench.figures import Figure, Measured, median, percentile
from bench.load import load, streamed
from bench.peers import THIRTY_LINES, missing, peers
from bench.stacks import Ours, running

DELAY_SECONDS = 0.1
SAID = f"What does cosine mean? [delay {DELAY_SECONDS}]"
STREAMED = f"{SAID} [words 50] [pace 0.01]"


def measure(*, quick: bool) -> Measured:
    turns = 50 if quick else 300
    with running(Ours) as ours:
        answers = _overheads_ms(ours, turns=turns)
        words = load(ours.url, streamed, said=STREAMED, turns=turns // 6, in_flight=1).results
    with peers() as others:
        theirs = {name: median(_overheads_ms(other, turns=12)) for name, other in others.items()}
    firsts = [(first - DELAY_SECONDS) * 1000 for first, _, _ in words]
    return Measured(
        figures=[
            Figure(
                what="Over the model's time, idle, from submit to the answer by long-poll: median",
                value=median(answers),
                unit="ms",
                most=15,
            ),
            Figure(what="… 99th percentile", value=percentile(answers, 0.99), unit="ms", most=40),
            *[Figure(what=f"… of {_how(name)}: median", value=took, unit="ms") for name, took in theirs.items()],
            Figure(
                what="Added to the model's first word by queue and stream, idle: median",
                value=median(firsts),
                unit="ms",
                most=60,
            ),
        ],
        note=missing(),
    )


def _overheads_ms(stack: Ours, *, turns: int) -> list[float]:
    stack.load(said=SAID, turns=max(2, turns // 15), in_flight=1)
    answers = stack.load(said=SAID, turns=turns, in_flight=1).results
    return [(seconds - DELAY_SECONDS) * 1000 for seconds in answers]


def _how(name: str) -> str:
    return f"{name}, asked every {POLL_SECONDS} s" if name == THIRTY_LINES else name
