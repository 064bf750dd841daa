"""The time that the queue adds to the model's on an idle machine: to the answer and to its first word."""

from bench.caller import POLL_SECONDS
from bench.competitors import PLAIN_CELERY, missing_competitors, running_competitors
from bench.figures import Figure, Result, median, percentile
from bench.load import run_load, stream_turn
from bench.stacks import InTurnStack, running

DELAY_SECONDS = 0.1
TEXT = f"What does cosine mean? [delay {DELAY_SECONDS}]"
STREAMED_TEXT = f"{TEXT} [words 50] [pace 0.01]"


def measure(*, quick: bool) -> Result:
    turns = 50 if quick else 300
    with running(InTurnStack) as stack:
        answers_ms = _overheads_ms(stack, turns=turns)
        streams = run_load(stack.url, stream_turn, text=STREAMED_TEXT, turns=turns // 6, in_flight=1).results
    with running_competitors() as competitors:
        competitors_ms = {name: median(_overheads_ms(stack, turns=12)) for name, stack in competitors.items()}
    first_words_ms = [(first_seconds - DELAY_SECONDS) * 1000 for first_seconds, _, _ in streams]
    label = "Time added to the model's when idle, from submit to the answer by long poll: median"
    stream_label = "Time added to the model's first word by queue and stream when idle: median"
    return Result(
        figures=[
            Figure(label=label, value=median(answers_ms), unit="ms", max_value=15),
            Figure(label="… 99th percentile", value=percentile(answers_ms, 0.99), unit="ms", max_value=40),
            *[Figure(label=_competitor_label(name), value=ms, unit="ms") for name, ms in competitors_ms.items()],
            Figure(label=stream_label, value=median(first_words_ms), unit="ms", max_value=60),
        ],
        message=missing_competitors(),
    )


def _overheads_ms(stack: InTurnStack, *, turns: int) -> list[float]:
    stack.run_load(text=TEXT, turns=max(2, turns // 15), in_flight=1)
    answers = stack.run_load(text=TEXT, turns=turns, in_flight=1).results
    return [(seconds - DELAY_SECONDS) * 1000 for seconds in answers]


def _competitor_label(name: str) -> str:
    return f"… of {name}, polled every {POLL_SECONDS} s: median" if name == PLAIN_CELERY else f"… of {name}: median"
