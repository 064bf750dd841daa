"""For each alert the metrics that make it fire, and when."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

STEP_SECONDS = 15
ENDED = 'inturn_turns_ended_total{status="%s", reason="%s"}'
COMPLETED = ENDED % ("completed", "")
BUCKET = 'gen_ai_server_time_to_first_token_seconds_bucket{le="%s"}'

# Metrics of a service in which all is well, as Prometheus notes them: start, change with each step, number of steps.
CALM: Mapping[str, str] = MappingProxyType(
    {
        "inturn_live_turns": "3x200",
        "inturn_live_workers": "2x200",
        "inturn_silent_workers": "0x200",
        "inturn_oldest_waiting_seconds": "0x200",
        "inturn_oldest_unanswered_seconds": "1x200",
        "inturn_stalled_seconds": "1x200",
        "inturn_first_token_wait_seconds": "0x200",
        'inturn_held_turns{why="model_paused"}': "0x200",
        "inturn_store_takes_writes": "1x200",
        "inturn_store_is_safe": "1x200",
        "inturn_store_partitions_away": "0x200",
        "inturn_store_memory_bytes": "100x200",
        "inturn_store_memory_limit_bytes": "0x200",
        'inturn_turns_refused_total{code="rate_limited"}': "0+9x200",
        "inturn_turns_rescued_total": "0x200",
        'inturn_worker_deaths_total{kind="loop"}': "0x200",
        "inturn_turns_taken_over_total": "0x200",
        COMPLETED: "0+30x200",
        BUCKET % "1.0": "0+30x200",
        BUCKET % "+Inf": "0+30x200",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Metrics that differ from `CALM`; None removes one. The alert fires at one time (s), and not before the other."""

    alert: str
    changes: Mapping[str, str | None]
    not_until: int
    fires_at: int


CASES = (
    Case(
        alert="EveryTurnFails",
        changes={'inturn_model_failing_seconds{model="m", code="provider_unreachable"}': "0+15x200"},
        not_until=90,
        fires_at=105,
    ),
    Case(
        alert="NothingCompletes",
        changes={"inturn_stalled_seconds": "0+15x200"},
        not_until=90,
        fires_at=105,
    ),
    Case(
        alert="UsersWait",
        changes={"inturn_oldest_unanswered_seconds": "0+15x200"},
        not_until=120,
        fires_at=150,
    ),
    Case(
        alert="TurnsWaitTooLong",
        changes={"inturn_oldest_waiting_seconds": "0+15x200"},
        not_until=90,
        fires_at=120,
    ),
    Case(
        alert="ModelIsPaused",
        changes={'inturn_held_turns{why="model_paused"}': "0 9x200"},
        not_until=300,
        fires_at=330,
    ),
    Case(
        alert="PauseIsForgotten",
        changes={
            'inturn_paused_seconds{kind="tenant", name="acme", ends="no"}': "3500+15x200",
            'inturn_paused_seconds{kind="lane", name="batch", ends="yes"}': "9000+15x200",
        },
        not_until=90,
        fires_at=120,
    ),
    Case(alert="StoreRefusesWrites", changes={"inturn_store_takes_writes": "1 0x200"}, not_until=60, fires_at=90),
    Case(alert="StoreIsUnsafe", changes={"inturn_store_is_safe": "1 0x200"}, not_until=60, fires_at=90),
    Case(alert="PartitionsAway", changes={"inturn_store_partitions_away": "0 8x200"}, not_until=60, fires_at=90),
    Case(
        alert="StoreIsNearlyFull",
        changes={"inturn_store_memory_bytes": "79 81x200", "inturn_store_memory_limit_bytes": "100x200"},
        not_until=300,
        fires_at=330,
    ),
    Case(
        alert="TurnsAreRefused",
        changes={'inturn_turns_refused_total{code="store_unavailable"}': "0+1x200"},
        not_until=60,
        fires_at=90,
    ),
    Case(alert="NoWorkers", changes={"inturn_live_workers": "2 0x200"}, not_until=30, fires_at=60),
    Case(alert="WorkerIsSilent", changes={"inturn_silent_workers": "0 1x200"}, not_until=60, fires_at=90),
    Case(alert="EndpointAway", changes={"inturn_live_turns": None}, not_until=45, fires_at=75),
    Case(
        alert="ManyTurnsFail",
        changes={ENDED % ("failed", "provider_error"): "0+2x200"},
        not_until=300,
        fires_at=345,
    ),
    Case(
        alert="ManyTurnsFail",  # turns that were not started in time were not served either
        changes={ENDED % ("incomplete", "expired"): "0+2x200"},
        not_until=300,
        fires_at=345,
    ),
    Case(
        alert="WorkersCrash",
        changes={'inturn_worker_deaths_total{kind="loop"}': "0 1 2 3x200"},
        not_until=30,
        fires_at=60,
    ),
    Case(alert="WorkersAreLost", changes={"inturn_turns_rescued_total": "0+3x200"}, not_until=300, fires_at=480),
    Case(alert="LeasesAreTooShort", changes={"inturn_turns_taken_over_total": "0 1x200"}, not_until=0, fires_at=30),
    Case(
        alert="FirstTokenIsLate",
        changes={BUCKET % "1.0": "0x200", BUCKET % "30.0": "0+30x200"},
        not_until=300,
        fires_at=345,
    ),
    Case(
        alert="FirstTokenIsLate",  # no turn has ended yet
        changes={"inturn_first_token_wait_seconds": "0+15x200"},
        not_until=315,
        fires_at=345,
    ),
)
