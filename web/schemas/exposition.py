"""The metrics in the text format of Prometheus, with OpenTelemetry's names where it defines one."""

from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from turns.store.metrics import COUNTER_LABELS, Metrics

KIND = CONTENT_TYPE_LATEST

# Names with gen_ai are those of https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/.
COUNTERS = MappingProxyType(
    {
        "accepted": ("inturn_turns_accepted", "Accepted turns"),
        "ended": ("inturn_turns_ended", "Turns that have ended, by status and by code or reason"),
        "retried": ("inturn_attempts_retried", "Failed attempts that were followed by another one, by code"),
        "held": ("inturn_breaker_opened", "Holds of a model that did not answer or limited its rate, by reason"),
        "rescued": ("inturn_turns_rescued", "Turns that another worker took over after their worker was lost"),
        "taken_over": (
            "inturn_turns_taken_over",
            "Runs of living workers whose turn another worker had taken over, because their lease had expired",
        ),
        "refused": ("inturn_turns_refused", "Submitted turns that were not accepted, by the code of the response"),
        "repaired": (
            "inturn_repairs",
            "Repairs of indexes and queues that were damaged outside of the service, by what",
        ),
        "vanished": (
            "inturn_workers_vanished",
            "Workers whose turns were taken over because their connection to the store had closed",
        ),
        "deaths": (
            "inturn_worker_deaths",
            "Workers that ended without being asked to, or stopped sending heartbeats, by the kind of worker",
        ),
        "returned": ("inturn_workers_returned", "Workers among them that were alive, so that their turns ran twice"),
        "usage_dropped": ("inturn_usage_dropped", "Ended runs whose tokens were not added to the sums of usage"),
        "tokens": ("gen_ai_client_token_usage", "Tokens of all runs, as reported by the provider"),
    }
)
# Labels of a counter that are not those of `COUNTER_LABELS`.
LABELS = MappingProxyType({"tokens": ("gen_ai_token_type", "gen_ai_request_model")})
HISTOGRAMS = MappingProxyType(
    {
        "wait": ("inturn_turn_wait_seconds", "From the moment at which a turn can run to its claim by a worker"),
        "first_token": (
            "gen_ai_server_time_to_first_token_seconds",
            "From the claim to the first piece of the answer",
        ),
        "duration": (
            "gen_ai_client_operation_duration_seconds",
            "From the claim to the commit, of completed turns",
        ),
    }
)
GAUGES = MappingProxyType(
    {
        "live_turns": ("inturn_live_turns", "Turns that have not ended"),
        "waiting_turns": ("inturn_waiting_turns", "Turns that could run and wait for a worker"),
        "oldest_waiting_seconds": (
            "inturn_oldest_waiting_seconds",
            "How long the oldest of them has waited",
        ),
        "watched_sessions": ("inturn_watched_sessions", "Sessions whose events are being streamed"),
        "failed_turns": ("inturn_failed_turns", "Failed turns that were neither retried nor discarded"),
        "live_workers": ("inturn_live_workers", "Worker processes with a recent heartbeat"),
        "running_turns": ("inturn_running_turns", "Turns that a worker runs"),
        "oldest_live_seconds": ("inturn_oldest_live_seconds", "Time since the acceptance of the oldest live turn"),
        "oldest_unanswered_seconds": (
            "inturn_oldest_unanswered_seconds",
            "How long the first turn of a session has waited for its answer to begin, whatever for; not of lane batch",
        ),
        "stalled_seconds": (
            "inturn_stalled_seconds",
            "How long no turn has completed although one has waited for its answer to begin; 0 if none waits",
        ),
        "first_token_wait_seconds": (
            "inturn_first_token_wait_seconds",
            "How long the running turn that has waited longest for the first piece of its answer has waited",
        ),
        "silent_workers": ("inturn_silent_workers", "Workers that stopped sending heartbeats in the last 15 minutes"),
        "store_memory_bytes": ("inturn_store_memory_bytes", "Memory that the store uses"),
        "store_memory_limit_bytes": ("inturn_store_memory_limit_bytes", "Its maxmemory; 0 without a limit"),
        "store_is_safe": ("inturn_store_is_safe", "1 if the store evicts no keys, else 0"),
        "store_takes_writes": ("inturn_store_takes_writes", "1 if the store takes writes, else 0"),
        "store_partitions_away": ("inturn_store_partitions_away", "Partitions of a Redis Cluster that do not answer"),
    }
)

HOLD_GAUGES = MappingProxyType(
    {
        "open": ("inturn_breaker_open", "1 for each model that gets no turns, or whose waiting turns are admitted"),
        "since": ("inturn_breaker_open_since_seconds", "Unix time at which that began"),
        "held": ("inturn_breaker_held_turns", "Turns that wait for this model"),
    }
)


FAILING = (
    "inturn_model_failing_seconds",
    "Time for which every turn of a model has failed; only of models that fail, by the last code",
)
# Gauges with the label `kind`, by the name of their values in `Metrics`.
WORKER_GAUGES = MappingProxyType(
    {
        "worker_wait_seconds": (
            "inturn_worker_wait_seconds",
            "How long the turn that has waited longest for a worker has waited, by the kind of worker",
        ),
        "running_workers": ("inturn_running_workers", "Workers with a recent heartbeat, by kind"),
        "worker_slots": ("inturn_worker_slots", "Turns that these workers can run at once, by the kind of worker"),
        "busy_slots": ("inturn_busy_slots", "Turns that these workers run, by the kind of worker"),
    }
)
PAUSED = (
    "inturn_paused_seconds",
    "Time since an operator paused a part of the service, while that lasts; `ends`: whether it ends by itself",
)
HELD = ("inturn_held_turns", "Live turns that do not run, by the reason why they wait")


class Snapshot(Collector):
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Any]:
        for name, (exposed, help_text) in COUNTERS.items():
            labels = LABELS.get(name, COUNTER_LABELS[name])
            counter = CounterMetricFamily(exposed, help_text, labels=labels)
            for values, amount in self._metrics.counters[name].items():
                counter.add_metric(values, amount)
            if not labels and not self._metrics.counters[name]:
                counter.add_metric((), 0)
            yield counter
        for name, (exposed, help_text) in HISTOGRAMS.items():
            histogram = self._metrics.histograms[name]
            buckets = [("+Inf" if bound == float("inf") else str(bound), count) for bound, count in histogram.buckets]
            yield HistogramMetricFamily(exposed, help_text, buckets=buckets, sum_value=histogram.sum)
        for name, (exposed, help_text) in GAUGES.items():
            yield GaugeMetricFamily(exposed, help_text, value=self._metrics.gauges[name])
        held = GaugeMetricFamily(*HELD, labels=["why"])
        for why, number in self._metrics.held.items():
            held.add_metric((why,), number)
        yield held
        for name, (exposed, help_text) in WORKER_GAUGES.items():
            by_kind = GaugeMetricFamily(exposed, help_text, labels=["kind"])
            for kind, number in getattr(self._metrics, name).items():
                by_kind.add_metric((kind,), number)
            yield by_kind
        failing = GaugeMetricFamily(*FAILING, labels=["model", "code"])
        for model_and_code, seconds in self._metrics.failing_seconds.items():
            failing.add_metric(model_and_code, seconds)
        yield failing
        yield from self._holds()
        yield self._pauses()

    def _pauses(self) -> GaugeMetricFamily:
        paused = GaugeMetricFamily(*PAUSED, labels=["kind", "name", "ends"])
        for kind_name_ends, seconds in self._metrics.paused_seconds.items():
            paused.add_metric(kind_name_ends, seconds)
        return paused

    def _holds(self) -> Iterator[Any]:
        for name, (exposed, help_text) in HOLD_GAUGES.items():
            gauge = GaugeMetricFamily(exposed, help_text, labels=["model", "reason"])
            for hold in self._metrics.holds:
                values = {"open": 1, "since": hold.since / 1000, "held": hold.held_turns}
                gauge.add_metric((hold.name, hold.reason), values[name])
            yield gauge


def expose(metrics: Metrics) -> bytes:
    registry = CollectorRegistry()
    registry.register(Snapshot(metrics))
    return generate_latest(registry)
