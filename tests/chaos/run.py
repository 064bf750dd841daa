"""One run: load, faults, verdict, figures."""

import contextlib
import json
import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tests.chaos.checker import Verdict, check
from tests.chaos.driver import Driver
from tests.chaos.nemesis import Nemesis
from tests.support.processes import Stack

SYSTEM = "You're an assistant who's good at math. Respond in 20 words or fewer"
SETTLE_SECONDS = 120


@dataclass(frozen=True)
class Outcome:
    verdict: Verdict
    turns: int
    completed: int
    faults: Counter[str]
    recoveries: list[float]  # seconds from the last fault that hit a turn to its next claim
    calls_per_turn: float

    def row(self, name: str) -> str:
        wrong = self.verdict.counts()
        recovery = " / ".join(f"{quantile(self.recoveries, q):.1f}" for q in (0.5, 0.95, 1.0) if self.recoveries)
        cells = [
            name,
            sum(self.faults.values()),
            self.turns,
            self.completed,
            *wrong.values(),
            len(self.recoveries),
            recovery or "n/a",
            f"{self.calls_per_turn:.3f}",
        ]
        return "| " + " | ".join(map(str, cells)) + " |"


def run(
    stack: Stack, *, sessions: int, turns: int, per_second: float, seed: int, every_seconds: float, faults: Counter[str]
) -> Outcome:
    driver = Driver(stack, sessions=sessions, turns=turns, per_second=per_second)
    nemesis = Nemesis(stack, seed=seed, every_seconds=every_seconds, faults=faults)
    nemesis.start()
    asked = driver.submit_all()
    nemesis.finish()
    with contextlib.suppress(AssertionError):  # the verdict says which have not
        driver.wait_until_ended(asked, seconds=SETTLE_SECONDS)
    statuses = driver.statuses(asked)
    return Outcome(
        verdict=check(asked, statuses, driver.histories(), system=SYSTEM),
        turns=len(asked),
        completed=sum(status == "completed" for status in statuses.values()),
        faults=nemesis.done,
        recoveries=recoveries(stack.logs(), nemesis.kills, nemesis.lost_hints),
        calls_per_turn=len(stack.model_requests()) / len(asked),
    )


def recoveries(logs: str, kills: Sequence[tuple[float, int]], hints: Sequence[tuple[float, str]]) -> list[float]:
    """From the logs of the workers: a turn whose worker was killed, or whose hint was lost, and its next claim."""
    claims = [(event["turn_id"], event["worker"], _time(event)) for event in _events(logs, "turn.claimed")]
    ended_at = {event["turn_id"]: _time(event) for event in _events(logs, "turn.committed")}
    hit = [*hints]
    for killed_at, pid in kills:
        held = {turn for turn, worker, at in claims if f":{pid}:" in worker and at < killed_at}
        hit += [(killed_at, turn) for turn in held if ended_at.get(turn, math.inf) > killed_at]
    last_hit: dict[tuple[str, float], float] = {}  # before each such claim: a turn may be hit again while it waits
    for hit_at, turn_id in sorted(hit):
        later = [at for turn, _, at in claims if turn == turn_id and at > hit_at]
        if later:
            last_hit[turn_id, min(later)] = hit_at
    return [claimed_at - hit_at for (_, claimed_at), hit_at in last_hit.items()]


def quantile(values: Sequence[float], q: float) -> float:
    """The value below which a share of `q` lies."""
    if q >= 1 or len(values) < 2:
        return max(values)
    return statistics.quantiles(values, n=100, method="inclusive")[round(q * 100) - 1]


def _events(logs: str, name: str) -> list[dict[str, str]]:
    lines = [line for line in logs.splitlines() if f'"{name}"' in line]
    return [json.loads(line) for line in lines]


def _time(event: dict[str, str]) -> float:
    return datetime.fromisoformat(event["timestamp"]).timestamp()
