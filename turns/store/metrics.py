"""What the scripts have counted and timed, for all processes together and across their restarts."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.script_loader import BUCKETS_MS
from turns.domain.state import Status
from turns.store.health import living_workers


@dataclass(frozen=True, slots=True)
class Timing:
    """How often something took at most so many seconds, by that bound; and all of it together, in seconds."""

    buckets: tuple[tuple[float, int], ...]
    sum: float


@dataclass(frozen=True, slots=True)
class Metrics:
    """`counts`: by name and labels. `timings`: by name. `gauges`: as it is now."""

    counts: Mapping[str, Mapping[tuple[str, ...], int]]
    timings: Mapping[str, Timing]
    gauges: Mapping[str, float]


COUNTS = MappingProxyType(
    {
        "accepted": ("lane",),
        "ended": ("status", "reason"),
        "retried": ("code",),
        "rescued": (),
        "taken_over": (),
        "tokens": ("kind", "model"),
    }
)
TIMINGS = ("wait", "first_token", "duration")
INFINITE = "inf"


def read_metrics(client: Client) -> Metrics:
    """Raises `StoreUnavailable`."""
    fields = decoded(cast(dict[bytes, bytes], client.hgetall(keys.METRICS.name)))
    counts: dict[str, dict[tuple[str, ...], int]] = {name: {} for name in COUNTS}
    for field, amount in fields.items():
        name, *labels = field.split("|")
        if name in counts:
            counts[name][tuple(labels)] = amount
    return Metrics(counts, {name: _timing(name, fields) for name in TIMINGS}, read_gauges(client))


def decoded(fields: Mapping[bytes, bytes]) -> dict[str, int]:
    """What was counted, by name. Each completed turn is in one bucket of its duration, so it is not counted besides."""
    counted = {name.decode(): int(amount) for name, amount in fields.items()}
    completed = sum(counted.get(f"duration|{most}", 0) for most in (*BUCKETS_MS, INFINITE))
    return {**counted, f"ended|{Status.COMPLETED}|": completed} if completed else counted


def _timing(name: str, fields: Mapping[str, int]) -> Timing:
    """Each bucket holds those below it too, as Prometheus counts."""
    buckets, below = [], 0
    for most in (*map(str, BUCKETS_MS), INFINITE):
        below += fields.get(f"{name}|{most}", 0)
        buckets.append((float(most) / 1000, below))
    return Timing(tuple(buckets), fields.get(f"{name}|sum", 0) / 1000)


def read_gauges(client: Client) -> dict[str, float]:
    seconds, microseconds = client.time()
    now_ms = seconds * 1000 + microseconds / 1000
    oldest = cast(list[tuple[bytes, float]], client.zrange(keys.WAITING.name, 0, 0, withscores=True))
    watched = cast(list[bytes], client.pubsub_channels(keys.LIVE("*")))
    return {
        "live_turns": int(client.hget(keys.SERVICE.name, "live") or 0),
        "waiting_turns": client.zcard(keys.WAITING.name),
        "oldest_waiting_seconds": max(0.0, now_ms - oldest[0][1]) / 1000 if oldest else 0.0,
        "watched_turns": len(watched),
        "failed_turns": client.zcard(keys.FAILED.name),
        "live_workers": len(living_workers(client)),
    }
