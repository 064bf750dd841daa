"""What a turn asks of Redis: commands, time, memory."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from bench.caller import Caller
from bench.figures import Figure, Measured
from bench.load import load, polled, streamed
from bench.stacks import IN_FLIGHT, Ours, running
from tests.support.waiting import meanwhile

# What clients send; the commands that scripts call are within the scripts' time.
SENT = {"evalsha", "eval", "brpop", "ping", "subscribe", "unsubscribe", "ssubscribe"}
EMPTY, EMPTY_SECONDS = "eval_ro", 0.02  # runs a script that does nothing, so often; nobody else uses this command
ASIDE = {"config|resetstat", "info", EMPTY}

SAID = "What does cosine mean? [delay 0.1] [words 20]"


def measure(*, quick: bool) -> Measured:
    turns = 400 if quick else 1200
    with running(Ours) as ours:
        load(ours.url, polled, said=SAID, turns=100, in_flight=IN_FLIGHT)
        # Few at once, because Redis counts by the clock, and must not wait for a core meanwhile.
        polls = _asked(ours, lambda: load(ours.url, polled, said=SAID, turns=turns // 4, in_flight=2))
        # As cold as the scripts of a turn find the core.
        ask_for_nothing = partial(ours.server.raw.execute_command, EMPTY, "return 1", 0)
        with meanwhile(ask_for_nothing, every_seconds=EMPTY_SECONDS):
            empty = _asked(ours, lambda: load(ours.url, polled, said=SAID, turns=turns // 8, in_flight=2))
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
            Figure(what="Commands to Redis for a polled turn", value=polls.commands / (turns // 4), unit="", most=12),
            Figure(what="… its time in Redis", value=polls.us / (turns // 4), unit="µs", most=150),
            Figure(
                what="… of it in the commands that its scripts call", value=polls.within_us / (turns // 4), unit="µs"
            ),
            Figure(what="… a script that does nothing, among them", value=empty.empty_us, unit="µs"),
            Figure(
                what="Commands to Redis for a streamed turn of 100 words",
                value=of_stream.commands / (turns // 20),
                unit="",
            ),
            Figure(what="… its time in Redis", value=of_stream.us / (turns // 20), unit="µs"),
            Figure(what="Memory of a live turn with its session", value=live, unit="bytes"),
            Figure(
                what="Memory of a finished turn, its events and its messages, while it is kept",
                value=finished,
                unit="bytes",
            ),
        ]
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """What Redis did: commands that clients sent, and the time that it spent on them; of that, within scripts."""

    commands: int
    us: int
    within_us: int
    empty_us: float


def _asked(ours: Ours, run: Callable[[], object]) -> Asked:
    raw = ours.server.raw
    raw.config_resetstat()
    run()
    stats: dict[str, Any] = {name.removeprefix("cmdstat_"): stat for name, stat in raw.info("commandstats").items()}
    sent = [stat for name, stat in stats.items() if name in SENT]
    return Asked(
        commands=sum(stat["calls"] for stat in sent),
        us=sum(stat["usec"] for stat in sent),
        within_us=sum(stat["usec"] for name, stat in stats.items() if name not in SENT | ASIDE),
        empty_us=stats[EMPTY]["usec_per_call"] if EMPTY in stats else 0,
    )


def _bytes(ours: Ours) -> float:
    return float(ours.server.raw.info("memory")["used_memory_dataset"])
