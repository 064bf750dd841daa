"""One chaos run: load, faults, verdict and measurements."""

import contextlib
import json
import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tests.chaos.checker import Verdict, check
from tests.chaos.driver import PACE, Driver, Load
from tests.chaos.nemesis import Nemesis
from tests.support.processes import EXAMPLE_SYSTEM_MESSAGE, Stack

SETTLE_SECONDS = 300  # the turns of a session take 200 s without a fault in the slowest row
FAILING = ("[crash ", "[hang ")  # in the texts of turns whose own chain fails them


@dataclass(frozen=True)
class Outcome:
    verdict: Verdict
    turns: int
    completed: int
    failed_innocents: list[str]  # the texts of turns that did not complete, though nothing in them fails
    faults: Counter[str]
    poisoned: Counter[str]  # turns that kill their workers, by the error code with which they ended
    recoveries: list[float]  # seconds from the last fault that hit a turn to its next claim
    calls_per_turn: float
    served_elsewhere: list[float] = field(default_factory=list)  # seconds of writes beside a primary that was away

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

    @property
    def remark(self) -> str:
        """What the row has no cell for; empty if there is nothing."""
        if not (times := self.served_elsewhere):
            return ""
        return f"writes for other nodes meanwhile: {len(times)}, {quantile(times, 0.95):.2f} s at the 95th percentile"


def run(
    stack: Stack,
    *,
    sessions: int,
    turns: int,
    per_second: float,
    seed: int,
    every_seconds: float,
    faults: Counter[str],
    pace: str = PACE,
    loads: Sequence[Load] = (Load(),),
    nemesis_type: type[Nemesis] = Nemesis,
) -> Outcome:
    driver = Driver(stack, sessions=sessions, turns=turns, per_second=per_second, pace=pace, loads=loads)
    nemesis = nemesis_type(stack, seed=seed, every_seconds=every_seconds, faults=faults)
    nemesis.start()
    submitted = driver.submit_all()
    nemesis.finish()
    poisoned = Counter(nemesis.poisoned.values())
    with contextlib.suppress(AssertionError):  # the verdict lists the turns that have not ended
        driver.wait_until_ended(submitted, seconds=SETTLE_SECONDS)
    turns_read = driver.read_turns(submitted)
    statuses = {turn["id"]: turn["status"] for turn in turns_read}
    return Outcome(
        verdict=check(submitted, statuses, driver.histories(), system=EXAMPLE_SYSTEM_MESSAGE["content"]),
        turns=len(submitted),
        completed=sum(status == "completed" for status in statuses.values()),
        failed_innocents=[
            turn.text
            for turn in submitted
            if statuses[turn.turn_id] != "completed" and not any(word in turn.text for word in FAILING)
        ],
        faults=nemesis.done,
        poisoned=poisoned,
        recoveries=recoveries(stack.logs(), nemesis.kills, nemesis.lost_hints),
        calls_per_turn=len(stack.model_requests()) / len(submitted),
        served_elsewhere=nemesis.served_elsewhere,
    )


def recoveries(logs: str, kills: Sequence[tuple[float, int]], hints: Sequence[tuple[float, str]]) -> list[float]:
    """Return the seconds from the kill of a worker, or the loss of a hint, to the next claim of each turn it hit."""
    claims = [(event["turn_id"], event["worker"], _time(event)) for event in _events(logs, "turn.claimed")]
    committed_at = {event["turn_id"]: _time(event) for event in _events(logs, "turn.committed")}
    hit = [*hints]
    for killed_at, pid in kills:
        claimed = {turn for turn, worker, at in claims if f":{pid}:" in worker and at < killed_at}
        hit += [(killed_at, turn) for turn in claimed if committed_at.get(turn, math.inf) > killed_at]
    last_hit: dict[tuple[str, float], float] = {}  # by turn and next claim: a turn may be hit again while it waits
    for hit_at, turn_id in sorted(hit):
        later = [at for turn, _, at in claims if turn == turn_id and at > hit_at]
        if later:
            last_hit[turn_id, min(later)] = hit_at
    return [claimed_at - hit_at for (_, claimed_at), hit_at in last_hit.items()]


def quantile(values: Sequence[float], q: float) -> float:
    """Return the quantile `q`, from 0 to 1, of the values."""
    if q >= 1 or len(values) < 2:
        return max(values)
    return statistics.quantiles(values, n=100, method="inclusive")[round(q * 100) - 1]


def _events(logs: str, name: str) -> list[dict[str, str]]:
    lines = [line for line in logs.splitlines() if f'"{name}"' in line]
    return [json.loads(line) for line in lines]


def _time(event: dict[str, str]) -> float:
    return _instant(event["timestamp"])


def _instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
