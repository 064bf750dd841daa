"""What a turn costs in a session that has said much, beside one that has just begun."""

import itertools
from functools import partial

from bench.caller import Caller
from bench.direct import HISTORY
from bench.figures import Figure, Measured, Series, alternately, median
from bench.load import load, polled
from bench.stacks import Ours, running

LENGTHS = (20, 100, 1000, 10_000)
SESSIONS = 20
SAID = "What does cosine mean?"


def measure(*, quick: bool) -> Measured:
    rounds, turns = (1, 200) if quick else (3, 600)
    with running(Ours) as ours:
        cost_of(ours, 20, turns=turns)
        runs = alternately(rounds, {length: partial(cost_of, ours, length, turns=turns) for length in LENGTHS})
    cost = [median(runs[length]) for length in LENGTHS]
    return Measured(
        figures=[
            Figure(
                what="CPU of a turn in a session of 10,000 messages, as a multiple of one of 20",
                value=cost[-1] / cost[0],
                unit="times",
                most=1.1,
            )
        ],
        series=[
            Series(
                name="history",
                x="messages in the session",
                y="CPU of a turn, ms",
                at=LENGTHS,
                lines={"InTurn": cost},
            )
        ],
    )


def cost_of(ours: Ours, length: int, *, turns: int) -> float:
    """In sessions that have said so much before."""
    numbers = itertools.count()
    sessions: dict[str, str] = {}

    def turn(caller: Caller, session: str, said: str) -> float:
        if session not in sessions:
            sessions[session] = f"of-{length}-{next(numbers)}"
        return polled(caller, sessions[session], said)

    for number in range(SESSIONS):
        key = f"message_store:of-{length}-{number}"
        ours.server.raw.delete(key)
        ours.server.raw.lpush(key, *HISTORY * (length // len(HISTORY)))
    return load(
        ours.url, turn, said=SAID, turns=turns, in_flight=SESSIONS, cpu_seconds=ours.cpu_seconds
    ).cpu_ms_per_turn
