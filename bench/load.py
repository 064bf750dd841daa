"""Generate load: concurrent callers, each with one session and one turn at a time."""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gevent

from bench.caller import Caller

TurnFunction = Callable[[Caller, str, str], Any]

_run_numbers = itertools.count()


@dataclass(frozen=True)
class LoadResult:
    """The cost of a load. `results` holds the return value of the turn function for each turn."""

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


def long_poll_turn(caller: Caller, session: str, text: str) -> float:
    """Submit a turn and wait for it with long polls; return the seconds from submit to answer."""
    started_at = time.perf_counter()
    caller.wait_for_turn(caller.submit(session, text))
    return time.perf_counter() - started_at


def poll_turn(caller: Caller, session: str, text: str) -> float:
    """Submit a turn and read it at intervals; return the seconds from submit to answer."""
    started_at = time.perf_counter()
    caller.poll_turn(caller.submit(session, text))
    return time.perf_counter() - started_at


def stream_turn(caller: Caller, session: str, text: str) -> tuple[float, float, int]:
    """Submit a turn and read its events; return the seconds to the first delta and to the end, and the delta count."""
    started_at = time.perf_counter()
    events = list(caller.read_events(caller.submit(session, text)))
    deltas = [at for name, at in events if name == "delta"]
    return deltas[0] - started_at, events[-1][1] - started_at, len(deltas)


def run_load(
    url: str,
    run_turn: TurnFunction,
    *,
    text: str,
    turns: int,
    in_flight: int,
    ramp_up_seconds: float = 0.0,
    cpu_seconds: Callable[[], float] = lambda: 0.0,
    seed_session: Callable[[str], Any] = lambda session: None,
) -> LoadResult:
    """Run `turns` turns from `in_flight` callers, each with a separate session. Raises what a turn raises.

    `seed_session` fills each session before the measurement begins. The callers start over `ramp_up_seconds`, because
    real users do not all submit in the same millisecond.
    """
    started = itertools.count(1)
    run_number = next(_run_numbers)
    sessions = [f"bench-{run_number}-{number}" for number in range(in_flight)]

    def call(session: str) -> list[Any]:
        caller, results = Caller(url), []
        while next(started) <= turns:
            results.append(run_turn(caller, session, text))
        caller.close()
        return results

    for session in sessions:
        seed_session(session)
    cpu_before, started_at = cpu_seconds(), time.perf_counter()
    callers = [gevent.spawn_later(ramp_up_seconds * n / in_flight, call, session) for n, session in enumerate(sessions)]
    gevent.joinall(callers, raise_error=True)
    seconds = time.perf_counter() - started_at
    results = [result for caller in callers for result in caller.value]
    return LoadResult(len(results), seconds, (cpu_seconds() - cpu_before) * 1000, results)
