"""How the cost of a turn grows: with the turns in flight, the sessions that there are, and the callers that wait.

The thirty lines are measured with the turns in flight alone: sessions that nobody uses are nothing to them, and nobody
can wait at their endpoint.
"""

import gevent

from bench import past
from bench.caller import Caller
from bench.figures import Measured, Series
from bench.load import load
from bench.stacks import IN_FLIGHT, Ours, ThirtyLines, running

# Models that are silent for two minutes are no failure here.
PATIENT = {"INTURN_CONCURRENCY": "1200", "INTURN_MAX_WAITERS": "2000", "INTURN_FIRST_TOKEN_SECONDS": "120"}
SAID = "What does cosine mean? [delay 0.5] [words 20]"


def measure(*, quick: bool) -> Measured:
    few = 300 if quick else 800
    return Measured(figures=[], series=[_in_flight(few), _sessions(few), _waiting(few)])


def _in_flight(turns: int) -> Series:
    at = (1, 10, 50, 100, 200, 400)
    with running(Ours, settings={"INTURN_CONCURRENCY": "400"}) as ours:
        _warm(ours)
        costs = [_cost(ours, in_flight=count, turns=max(20, turns * count // 400)) for count in at]
    with running(ThirtyLines) as thirty:
        _warm(thirty)
        theirs = [
            _cost(thirty, in_flight=count, turns=max(20, turns * count // 600)) for count in at if count <= IN_FLIGHT
        ]
    return Series(
        name="in_flight",
        x="turns in flight",
        y="CPU of a turn, ms",
        at=at,
        lines={"InTurn": costs, "the thirty lines": theirs},
    )


def _sessions(turns: int) -> Series:
    """Sessions that have ended, with the history of ten turns each, while others work."""
    at = (0, 1000, 5000, 20_000)
    costs, there = [], 0
    with running(Ours) as ours:
        _warm(ours)
        for count in at:
            pipe = ours.server.raw.pipeline(transaction=False)
            for number in range(there, count):
                pipe.lpush(f"message_store:old-{number}", *past.stored())
            pipe.execute()
            there = count
            costs.append(_cost(ours, in_flight=50, turns=turns))
    return Series(name="sessions", x="other sessions", y="CPU of a turn, ms", at=at, lines={"InTurn": costs})


def _waiting(turns: int) -> Series:
    """Callers that wait for turns that do not end, while others work."""
    at = (0, 250, 500, 1000)
    costs: list[float] = []
    waiting: list[gevent.Greenlet] = []
    with running(Ours, settings=PATIENT) as ours:
        _warm(ours)
        for count in at:
            while len(waiting) < count:
                waiting.append(gevent.spawn(_wait, ours.url, len(waiting)))
            gevent.sleep(3)
            costs.append(_cost(ours, in_flight=50, turns=turns))
        gevent.killall(waiting)
    return Series(
        name="waiting", x="callers that wait for other turns", y="CPU of a turn, ms", at=at, lines={"InTurn": costs}
    )


def _wait(url: str, number: int) -> None:
    caller = Caller(url)
    caller.wait(caller.submit(f"waiting-{number}", "hello [delay 110]"))


def _warm(stack: Ours) -> None:
    load(stack.url, stack.one, said="hello", turns=200, in_flight=50)


def _cost(stack: Ours, *, in_flight: int, turns: int) -> float:
    return stack.load(said=SAID, turns=turns, in_flight=in_flight).cpu_ms_per_turn
