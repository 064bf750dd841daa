"""Load: so many callers, each with a session of its own, each one turn after another."""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gevent

from bench.caller import Caller

One = Callable[[Caller, str, str], Any]

_runs = itertools.count()


@dataclass(frozen=True)
class Run:
    """What a load took. `results` is what `one` gave for each turn."""

    turns: int
    seconds: float
    cpu_ms: float
    results: list[Any]

    @property
    def turns_per_second(self) -> float:
        return self.turns / self.seconds

    @property
    def cpu_ms_per_turn(self) -> float:
        return self.cpu_ms / self.turns


def polled(caller: Caller, session: str, said: str) -> float:
    """A turn with a long-poll for its answer; the seconds from the one to the other."""
    began_at = time.perf_counter()
    caller.wait(caller.submit(session, said))
    return time.perf_counter() - began_at


def asked_again(caller: Caller, session: str, said: str) -> float:
    began_at = time.perf_counter()
    caller.poll(caller.submit(session, said))
    return time.perf_counter() - began_at


def streamed(caller: Caller, session: str, said: str) -> tuple[float, float, int]:
    """A turn with a reader of its events; the seconds to the first words and to the end, and how many pieces came."""
    began_at = time.perf_counter()
    events = list(caller.events(caller.submit(session, said)))
    pieces = [at for name, at in events if name == "delta"]
    return pieces[0] - began_at, events[-1][1] - began_at, len(pieces)


def load(
    url: str,
    one: One,
    *,
    said: str,
    turns: int,
    in_flight: int,
    over_seconds: float = 0.0,
    cpu_seconds: Callable[[], float] = lambda: 0.0,
    begin: Callable[[str], None] = lambda session: None,
) -> Run:
    """So many turns, so many of them at once, each caller in a session of its own. Raises what a turn raises.

    `begin` gives a session its past before anything is measured; without it all sessions are new. The callers begin
    over `over_seconds`: people do not all say something in the same millisecond.
    """
    left = itertools.count(1)
    run = next(_runs)
    sessions = [f"bench-{run}-{number}" for number in range(in_flight)]

    def call(session: str) -> list[Any]:
        caller, results = Caller(url), []
        while next(left) <= turns:
            results.append(one(caller, session, said))
        caller.close()
        return results

    for session in sessions:
        begin(session)
    cpu, began_at = cpu_seconds(), time.perf_counter()
    callers = [gevent.spawn_later(over_seconds * n / in_flight, call, session) for n, session in enumerate(sessions)]
    gevent.joinall(callers, raise_error=True)
    seconds = time.perf_counter() - began_at
    results = [result for caller in callers for result in caller.value]
    return Run(len(results), seconds, (cpu_seconds() - cpu) * 1000, results)
