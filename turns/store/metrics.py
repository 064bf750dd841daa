"""The counters and histograms that the scripts keep, for all processes and across their restarts."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.script_loader import BUCKETS_MS
from turns.domain.state import Status
from turns.domain.wait_reason import Reason
from turns.domain.worker_kind import WorkerKind, kind_of
from turns.pauses.pause import Pause
from turns.pauses.pauses import read_pauses
from turns.store.failing import read_completions, read_failing
from turns.store.health import is_safe_policy, list_live_workers, read_memory, read_refusal
from turns.store.held import count_held, read_crowded_groups
from turns.store.holds import ModelHold, read_holds
from turns.store.survey import Survey, survey_heads


@dataclass(frozen=True, slots=True)
class Histogram:
    """The cumulative count of each bucket by its upper bound, and the sum of all values, both in seconds."""

    buckets: tuple[tuple[float, int], ...]
    sum: float


@dataclass(frozen=True, slots=True)
class Metrics:
    """`counters` by name and label values, `histograms` and `gauges` by name; held turns by reason; models on hold.

    By kind of worker, `running_workers` can run `worker_slots` turns at once, and run `busy_slots`.
    `failing_seconds` is the time since the first failure of each model of which every turn fails, by model and code.
    `paused_seconds` is the time since the beginning of each pause, by kind, name and whether it has an end.
    """

    counters: Mapping[str, Mapping[tuple[str, ...], int]]
    histograms: Mapping[str, Histogram]
    gauges: Mapping[str, float]
    held: Mapping[Reason, int]
    failing_seconds: Mapping[tuple[str, str], float]
    worker_wait_seconds: Mapping[WorkerKind, float]
    running_workers: Mapping[WorkerKind, int]
    worker_slots: Mapping[WorkerKind, int]
    busy_slots: Mapping[WorkerKind, int]
    paused_seconds: Mapping[tuple[str, str, str], float]
    holds: Sequence[ModelHold] = ()


COUNTER_LABELS = MappingProxyType(
    {
        "accepted": ("lane",),
        "ended": ("status", "reason"),
        "retried": ("code",),
        "held": ("reason", "model"),
        "rescued": (),
        "taken_over": (),
        "refused": ("code",),
        "repaired": ("what",),
        "vanished": (),
        "returned": (),
        "deaths": ("kind",),
        "usage_dropped": (),
        "tokens": ("kind", "model"),
    }
)
HISTOGRAMS = ("wait", "first_token", "duration")
INFINITE = "inf"


def read_metrics(client: Client) -> Metrics:
    """Return all metrics. Raises `StoreUnavailable`."""
    fields = decode_counters(cast(dict[bytes, bytes], client.hgetall(keys.METRICS.name)))
    counters: dict[str, dict[tuple[str, ...], int]] = {name: {} for name in COUNTER_LABELS}
    counters["deaths"] = {(kind,): 0 for kind in WorkerKind}  # the first death must show as an increase
    for field, amount in fields.items():
        name, *labels = field.split("|")
        if name in counters:
            counters[name][tuple(labels)] = amount
    histograms = {name: _histogram(name, fields) for name in HISTOGRAMS}
    survey, completions, holds = survey_heads(client), read_completions(client), read_holds(client)
    pauses = read_pauses(client)
    seconds, _ = client.time()

    def age(at: int | None) -> float:
        return max(0.0, seconds - at / 1000) if at else 0.0

    failing = read_failing(client, completions, now_ms=seconds * 1000)
    workers, slots = list_live_workers(client), client.hgetall(keys.WORKER_SLOTS.name)
    return Metrics(
        counters,
        histograms,
        gauges={
            **read_gauges(client),
            **_read_store_gauges(client),
            **_read_wait_gauges(client, survey, completions, age),
        },
        held=count_held(client, survey, holds, read_crowded_groups(client), pauses),
        failing_seconds={(model.model, model.code): age(model.since) for model in failing},
        worker_wait_seconds={kind: age(survey.waiting_kinds_since.get(kind)) for kind in WorkerKind},
        running_workers=_by_kind(dict.fromkeys(workers, 1)),
        worker_slots=_by_kind({worker: int(slots.get(worker.encode(), 0)) for worker in workers}),
        busy_slots=_by_kind(Counter(turn.worker for turn in survey.running)),
        holds=holds,
        paused_seconds={_pause_labels(pause): age(pause.since) for pause in pauses if not pause.is_over},
    )


def _by_kind(numbers: Mapping[str, int]) -> dict[WorkerKind, int]:
    """Return the sum of the numbers of workers by their kind."""
    return {kind: sum(number for name, number in numbers.items() if kind_of(name) is kind) for kind in WorkerKind}


def _pause_labels(pause: Pause) -> tuple[str, str, str]:
    return pause.kind, pause.name, "yes" if pause.until else "no"


def decode_counters(fields: Mapping[bytes, bytes]) -> dict[str, int]:
    """Return the counters by field name, with the number of completed turns.

    The scripts do not count completed turns, because each of them is in a bucket of the duration.
    """
    counters = {name.decode(): int(amount) for name, amount in fields.items()}
    completed = sum(counters.get(f"duration|{bound}", 0) for bound in (*BUCKETS_MS, INFINITE))
    return {**counters, f"ended|{Status.COMPLETED}|": completed} if completed else counters


def read_gauges(client: Client) -> dict[str, float]:
    """Return the current values of the gauges by name. Raises `StoreUnavailable`."""
    seconds, microseconds = client.time()
    now_ms = seconds * 1000 + microseconds / 1000
    oldest = cast(list[tuple[bytes, float]], client.zrange(keys.WAITING.name, 0, 0, withscores=True))
    watched = cast(list[bytes], client.pubsub_channels(keys.LIVE("*")))
    return {
        "live_turns": int(client.hget(keys.SERVICE.name, "live") or 0),
        "waiting_turns": client.zcard(keys.WAITING.name),
        "oldest_waiting_seconds": max(0.0, now_ms - oldest[0][1]) / 1000 if oldest else 0.0,
        "watched_sessions": len(watched),
        "failed_turns": client.zcard(keys.FAILED.name),
        "live_workers": len(list_live_workers(client)),
    }


def _read_wait_gauges(
    client: Client, survey: Survey, completions: Mapping[str, int], age: Callable[[int | None], float]
) -> dict[str, float]:
    unanswered = age(survey.oldest_unanswered_at)
    return {
        "running_turns": len(survey.running),
        "oldest_live_seconds": age(survey.oldest_live_at),
        "oldest_unanswered_seconds": unanswered,
        "stalled_seconds": min(unanswered, age(max(completions.values()))) if completions else unanswered,
        "first_token_wait_seconds": age(min(survey.first_token_waits, default=None)),
        "silent_workers": client.zcard(keys.WORKERS.name) - len(list_live_workers(client)),
    }


def _read_store_gauges(client: Client) -> dict[str, float]:
    memory = read_memory(client)
    return {
        "store_memory_bytes": memory.used_bytes,
        "store_memory_limit_bytes": memory.limit_bytes,
        "store_is_safe": int(is_safe_policy(memory.eviction_policy)),
        "store_takes_writes": int(not read_refusal(client)),
        "store_partitions_away": client.partitions_away,
    }


def _histogram(name: str, fields: Mapping[str, int]) -> Histogram:
    buckets, count = [], 0
    for bound in (*map(str, BUCKETS_MS), INFINITE):
        count += fields.get(f"{name}|{bound}", 0)
        buckets.append((float(bound) / 1000, count))
    return Histogram(tuple(buckets), fields.get(f"{name}|sum", 0) / 1000)
