"""What a turn asks of Redis: commands, time, memory."""

from typing import Any

from bench.caller import Caller
from bench.figures import Figure, Measured
from bench.load import load, polled, streamed
from bench.stacks import IN_FLIGHT, Ours, running

# What clients send; the commands that scripts call are within the scripts' time.
SENT = {f"cmdstat_{name}" for name in ("evalsha", "eval", "brpop", "ping", "subscribe", "unsubscribe", "ssubscribe")}

SAID = "What does cosine mean? [delay 0.1] [words 20]"


def measure(*, quick: bool) -> Measured:
    turns = 400 if quick else 1200
    with running(Ours) as ours:
        load(ours.url, polled, said=SAID, turns=100, in_flight=IN_FLIGHT)
        # Few at once, because Redis counts by the clock, and must not wait for a core meanwhile.
        polls = _asked(ours, lambda: load(ours.url, polled, said=SAID, turns=turns // 4, in_flight=2))
        spoken = f"{SAID} [words 100] [pace 0.01]"
        of_stream = _asked(ours, lambda: load(ours.url, streamed, said=spoken, turns=turns // 20, in_flight=2))
        before = _bytes(ours)
        load(ours.url, polled, said=SAID, turns=turns, in_flight=IN_FLIGHT)
        finished = (_bytes(ours) - before) / turns
    with running(Ours, workers=0) as ours:
        before = _bytes(ours)
        caller = Caller(ours.url)
        for number in range(turns):
            caller.submit(f"waiting-{number}", SAID)
        live = (_bytes(ours) - before) / turns
        caller.close()
    return Measured(
        figures=[
            Figure(what="Commands to Redis for a polled turn", value=polls[0] / (turns // 4), unit="", most=12),
            Figure(what="… its time in Redis", value=polls[1] / (turns // 4), unit="µs", most=150),
            Figure(
                what="Commands to Redis for a streamed turn of 100 words", value=of_stream[0] / (turns // 20), unit=""
            ),
            Figure(what="… its time in Redis", value=of_stream[1] / (turns // 20), unit="µs"),
            Figure(what="Memory of a live turn with its session", value=live, unit="bytes"),
            Figure(
                what="Memory of a finished turn, its events and its messages, while it is kept",
                value=finished,
                unit="bytes",
            ),
        ]
    )


def _asked(ours: Ours, run: Any) -> tuple[float, float]:
    """Commands that clients sent, and microseconds that Redis spent on them, during `run`."""
    raw = ours.server.raw
    raw.config_resetstat()
    run()
    stats: dict[str, Any] = raw.info("commandstats")
    sent = {name: stat for name, stat in stats.items() if name in SENT}
    return sum(stat["calls"] for stat in sent.values()), sum(stat["usec"] for stat in sent.values())


def _bytes(ours: Ours) -> float:
    return float(ours.server.raw.info("memory")["used_memory_dataset"])
