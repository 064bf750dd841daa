"""Counters over time, from the snapshots that workers take each minute (`snapshot_counters.lua`).

A point is the difference of two snapshots. Percentiles are estimated from histogram buckets as Prometheus does it: the
values in a bucket count as evenly spread.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.script_loader import BUCKETS_MS
from turns.domain.state import TERMINAL, Status
from turns.store.metrics import INFINITE, decode_counters

RESOLUTIONS = MappingProxyType({15: 1, 360: 5, 1440: 15})  # minutes of a series: minutes of each of its points
RECENT_MINUTES = 5  # the period of the current values: long enough for a percentile of many turns

REFUSED = "refused|"
DEPTH = "depth|"

Counters = Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatsPoint:
    """The events of one interval, which begins at `at` (ms), and the live and waiting turns at its end.

    `expired` turns were not started in time; they are among the incomplete ones. `refused` turns are counted by code.
    `error_share` is the share of failed and expired turns among these and the completed ones. Values without an event
    are None.
    """

    at: int
    accepted: int
    ended: Mapping[Status, int]
    expired: int
    refused: Mapping[str, int]
    live_turns: int | None
    waiting_turns: int | None
    wait_p50_seconds: float | None
    wait_p95_seconds: float | None
    first_token_p95_seconds: float | None
    duration_p95_seconds: float | None
    error_share: float | None


def read_series(client: Client, minutes: int) -> tuple[StatsPoint, ...]:
    """Return the points of the last `minutes`, a key of `RESOLUTIONS`; the last point is not complete yet.

    Raises `StoreUnavailable`.
    """
    step = RESOLUTIONS[minutes]
    last = _current_minute(client) // step * step  # Points begin at round times, so that they stay the same.
    starts = range(last - minutes + step, last + 1, step)
    counters = _read_counters(client, starts, step)
    return tuple(build_point(start, *pair) for start, pair in zip(starts, pairwise(counters), strict=True))


def read_recent(client: Client) -> StatsPoint:
    """Return one point for the last `RECENT_MINUTES` and the current minute. Raises `StoreUnavailable`."""
    start = _current_minute(client) - RECENT_MINUTES
    before, now = _read_counters(client, [start], RECENT_MINUTES + 1)
    return build_point(start, before, now)


def build_point(minute: int, before: Counters, after: Counters) -> StatsPoint:
    """Return the point of an interval that begins at this minute since the epoch."""
    events = {name: amount - before.get(name, 0) for name, amount in after.items()}
    ended = {status: _sum_of(events, f"ended|{status}|") for status in sorted(TERMINAL)}
    expired = events.get("ended|incomplete|expired", 0)
    not_served = ended[Status.FAILED] + expired
    finished = ended[Status.COMPLETED] + not_served
    return StatsPoint(
        at=minute * 60_000,
        accepted=_sum_of(events, "accepted|"),
        ended=ended,
        expired=expired,
        refused={name.removeprefix(REFUSED): n for name, n in events.items() if n and name.startswith(REFUSED)},
        live_turns=after.get(f"{DEPTH}live"),
        waiting_turns=after.get(f"{DEPTH}waiting"),
        wait_p50_seconds=_percentile(events, "wait", 0.5),
        wait_p95_seconds=_percentile(events, "wait", 0.95),
        first_token_p95_seconds=_percentile(events, "first_token", 0.95),
        duration_p95_seconds=_percentile(events, "duration", 0.95),
        error_share=not_served / finished if finished else None,
    )


def fill_gaps(snapshots: Sequence[Counters]) -> list[Counters]:
    """Replace each empty snapshot by the one before it, and the first ones by the first that is not empty.

    No worker was alive then; events of that time appear in the next interval, those before the first snapshot in none.
    The depth of that time is unknown.
    """
    previous = next(filter(None, snapshots), {})
    return [previous := snapshot or _without_depth(previous) for snapshot in snapshots]


def _without_depth(counters: Counters) -> Counters:
    return {name: amount for name, amount in counters.items() if not name.startswith(DEPTH)}


def _current_minute(client: Client) -> int:
    seconds, _ = client.time()
    return seconds // 60


def _read_counters(client: Client, starts: Sequence[int], step: int) -> Sequence[Counters]:
    """Return the first snapshot of each interval, and the present counters as the last element."""
    commands = [
        ("XRANGE", keys.COUNTER_SNAPSHOTS.name, start * 60_000, (start + step) * 60_000 - 1, "COUNT", 1)
        for start in starts
    ]
    present = [("HGETALL", keys.METRICS.name), ("HGET", keys.SERVICE.name, "live"), ("ZCARD", keys.WAITING.name)]
    *found, now, live, waiting = client.execute_many([*commands, *present])
    depth = {f"{DEPTH}live": int(live or 0), f"{DEPTH}waiting": int(waiting)}
    snapshots = [decode_counters(entries[0][1]) if entries else {} for entries in found]
    return fill_gaps([*snapshots, {**decode_counters(now), **depth}])


def _sum_of(events: Counters, prefix: str) -> int:
    return sum(amount for name, amount in events.items() if name.startswith(prefix))


def _percentile(events: Counters, histogram: str, share: float) -> float | None:
    """Estimate a percentile in seconds from histogram buckets; at most the bound of the largest one."""
    counts = [events.get(f"{histogram}|{bound}", 0) for bound in (*BUCKETS_MS, INFINITE)]
    remaining = share * sum(counts)
    if not remaining:
        return None
    for (lower, upper), count in zip(pairwise((0, *BUCKETS_MS)), counts, strict=False):
        if remaining <= count:
            return round(lower + (upper - lower) * remaining / count) / 1000
        remaining -= count
    return BUCKETS_MS[-1] / 1000
