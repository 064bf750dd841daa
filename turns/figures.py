"""Figures over time: what the scripts have counted and timed in each minute, as series.

A share of a timing is estimated from its buckets, as Prometheus does it: evenly spread inside a bucket.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import cast

from turns import keys
from turns.connection import Client
from turns.metrics import INFINITE
from turns.rendering import BUCKETS_MS
from turns.state import TERMINAL, Status

# How many minutes a series tells of, and how many of them are one point of it.
STEPS = MappingProxyType({15: 1, 360: 5, 1440: 15})
RECENT_MINUTES = 5  # "now", for what only many turns together can tell
READ_AT_ONCE = 200  # minutes, so that the store serves others in between
MOST_KEPT = 2 * 1440  # minutes that one process remembers

Minute = Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What happened in some time from `at` (ms) on. Times in seconds; None where nothing of the kind happened."""

    at: int
    accepted: int
    ended: Mapping[Status, int]
    wait_p50_seconds: float | None
    wait_p95_seconds: float | None
    first_token_p95_seconds: float | None
    duration_p95_seconds: float | None
    error_share: float | None


class Chronicle:
    """Reads the minutes. One that is over never changes, so each process reads it once."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._over: dict[int, Minute] = {}

    def series(self, minutes: int) -> tuple[Figures, ...]:
        """The last so many minutes, which `STEPS` knows; the last point is not over yet. Raises `StoreUnavailable`."""
        step, this = STEPS[minutes], self._this_minute()
        last = this // step * step  # points begin at round times, so that they do not change with each look
        first = last - minutes + step
        self._read(range(first, this + 1), this)
        return tuple(self._sum(begin, begin + step) for begin in range(first, last + 1, step))

    def recent(self) -> Figures:
        """The last minutes, whatever they began with. Raises `StoreUnavailable`."""
        this = self._this_minute()
        first = this - RECENT_MINUTES + 1
        self._read(range(first, this + 1), this)
        return self._sum(first, this + 1)

    def _this_minute(self) -> int:
        seconds, _ = self._client.time()
        return seconds // 60

    def _read(self, minutes: Iterable[int], this: int) -> None:
        """These minutes are known, as far as they have happened."""
        if len(self._over) > MOST_KEPT:
            self._over.clear()
        unknown = [minute for minute in minutes if minute not in self._over or minute >= this - 1]
        for n in range(0, len(unknown), READ_AT_ONCE):
            asked = unknown[n : n + READ_AT_ONCE]
            answers = self._client.ask_all([("HGETALL", keys.MINUTE(str(minute))) for minute in asked])
            for minute, fields in zip(asked, cast(list[dict[bytes, bytes]], answers), strict=True):
                self._over[minute] = {name.decode(): int(amount) for name, amount in fields.items()}

    def _sum(self, begin: int, end: int) -> Figures:
        total: Counter[str] = Counter()
        for minute in range(begin, end):
            total.update(self._over.get(minute, {}))
        return _figures(begin * 60_000, total)


def _figures(at: int, fields: Minute) -> Figures:
    ended = {status: _sum_of(fields, f"ended|{status}|") for status in sorted(TERMINAL)}
    judged = ended[Status.COMPLETED] + ended[Status.FAILED]
    return Figures(
        at=at,
        accepted=_sum_of(fields, "accepted|"),
        ended=ended,
        wait_p50_seconds=_within(fields, "wait", 0.5),
        wait_p95_seconds=_within(fields, "wait", 0.95),
        first_token_p95_seconds=_within(fields, "first_token", 0.95),
        duration_p95_seconds=_within(fields, "duration", 0.95),
        error_share=ended[Status.FAILED] / judged if judged else None,
    )


def _sum_of(fields: Minute, prefix: str) -> int:
    return sum(amount for name, amount in fields.items() if name.startswith(prefix))


def _within(fields: Minute, timing: str, share: float) -> float | None:
    """So many seconds were enough for this share of them. Beyond the largest bucket: its bound."""
    counts = [fields.get(f"{timing}|{most}", 0) for most in (*BUCKETS_MS, INFINITE)]
    left = share * sum(counts)
    if not left:
        return None
    for (lower, upper), count in zip(pairwise((0, *BUCKETS_MS)), counts, strict=False):
        if left <= count:
            return (lower + (upper - lower) * left / count) / 1000
        left -= count
    return BUCKETS_MS[-1] / 1000
