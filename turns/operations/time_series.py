"""Figures over time: what happened between two looks at the counters, as series.

Each minute what was counted so far is noted (`snapshot_counters.lua`); what happened in some time is the
difference of two notes. A share of a timing is estimated from its buckets, as Prometheus does it: evenly spread inside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.script_loader import BUCKETS_MS
from turns.domain.state import TERMINAL, Status
from turns.store.metrics import INFINITE, decoded

# How many minutes a series tells of, and how many of them are one point of it.
STEPS = MappingProxyType({15: 1, 360: 5, 1440: 15})
RECENT_MINUTES = 5  # "now", for what only many turns together can tell

Counted = Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatsPoint:
    """What happened in some time from `at` (ms) on. Times in seconds; None where nothing of the kind happened."""

    at: int
    accepted: int
    ended: Mapping[Status, int]
    wait_p50_seconds: float | None
    wait_p95_seconds: float | None
    first_token_p95_seconds: float | None
    duration_p95_seconds: float | None
    error_share: float | None


def read_series(client: Client, minutes: int) -> tuple[StatsPoint, ...]:
    """The last so many minutes, which `STEPS` knows; the last point is not over yet. Raises `StoreUnavailable`."""
    step = STEPS[minutes]
    last = _this_minute(client) // step * step  # points begin at round times, so they do not change with each look
    begins = range(last - minutes + step, last + 1, step)
    counted = _counted(client, begins, step)
    return tuple(_figures(begin, *both) for begin, both in zip(begins, pairwise(counted), strict=True))


def read_recent(client: Client) -> StatsPoint:
    """The last minutes, and what has passed of this one. Raises `StoreUnavailable`."""
    begin = _this_minute(client) - RECENT_MINUTES
    before, now = _counted(client, [begin], RECENT_MINUTES + 1)
    return _figures(begin, before, now)


def _this_minute(client: Client) -> int:
    seconds, _ = client.time()
    return seconds // 60


def _counted(client: Client, begins: Sequence[int], step: int) -> Sequence[Counted]:
    """What had been counted when each of these minutes began, as first noted in its step; and until now.

    Where no worker lived to note it, it is as noted before: what happened then is told with what came after. What
    happened before the first note is told by none.
    """
    asked = [
        ("XRANGE", keys.COUNTER_SNAPSHOTS.name, begin * 60_000, (begin + step) * 60_000 - 1, "COUNT", 1)
        for begin in begins
    ]
    *notes, now = client.execute_many([*asked, ("HGETALL", keys.METRICS.name)])
    found = [decoded(note[0][1]) if note else {} for note in notes] + [decoded(now)]
    known = next(filter(None, found), {})
    return [known := counted or known for counted in found]


def _figures(minute: int, before: Counted, after: Counted) -> StatsPoint:
    happened = {name: amount - before.get(name, 0) for name, amount in after.items()}
    ended = {status: _sum_of(happened, f"ended|{status}|") for status in sorted(TERMINAL)}
    judged = ended[Status.COMPLETED] + ended[Status.FAILED]
    return StatsPoint(
        at=minute * 60_000,
        accepted=_sum_of(happened, "accepted|"),
        ended=ended,
        wait_p50_seconds=_within(happened, "wait", 0.5),
        wait_p95_seconds=_within(happened, "wait", 0.95),
        first_token_p95_seconds=_within(happened, "first_token", 0.95),
        duration_p95_seconds=_within(happened, "duration", 0.95),
        error_share=ended[Status.FAILED] / judged if judged else None,
    )


def _sum_of(happened: Counted, prefix: str) -> int:
    return sum(amount for name, amount in happened.items() if name.startswith(prefix))


def _within(happened: Counted, timing: str, share: float) -> float | None:
    """So many seconds were enough for this share of them. Beyond the largest bucket: its bound."""
    counts = [happened.get(f"{timing}|{most}", 0) for most in (*BUCKETS_MS, INFINITE)]
    left = share * sum(counts)
    if not left:
        return None
    for (lower, upper), count in zip(pairwise((0, *BUCKETS_MS)), counts, strict=False):
        if left <= count:
            return round(lower + (upper - lower) * left / count) / 1000
        left -= count
    return BUCKETS_MS[-1] / 1000
