"""Read the facts on which the verdict is based."""

from turns.backend.client import Client
from turns.config.settings import Settings
from turns.operations.finding import ServiceFacts
from turns.operations.time_series import read_recent
from turns.operations.workers import read_workers
from turns.pauses.pauses import read_pauses
from turns.processes.listing import read_processes
from turns.processes.record import WEB
from turns.store.failing import read_completions, read_failing
from turns.store.health import read_health
from turns.store.held import count_held, read_crowded_groups
from turns.store.holds import read_holds
from turns.store.metrics import read_gauges
from turns.store.survey import survey_heads


def read_facts(client: Client, settings: Settings, *, lost_turns: int) -> ServiceFacts:
    """Return the facts of this moment; `lost_turns` are unresolved. Raises `StoreUnavailable`."""
    now = read_now_ms(client)
    survey, completions, holds = survey_heads(client), read_completions(client), read_holds(client)
    crowded, processes, pauses = read_crowded_groups(client), read_processes(client), read_pauses(client)

    def age(at: int | None) -> float:
        return max(0, now - at) / 1000 if at else 0.0

    return ServiceFacts(
        now=now,
        health=read_health(client, settings),
        pauses=pauses,
        held=count_held(client, survey, holds, crowded, pauses),
        holds=holds,
        crowded=crowded,
        waiting_kinds=survey.waiting_kinds,
        oldest_waiting_seconds=read_gauges(client)["oldest_waiting_seconds"],
        oldest_unanswered_seconds=age(survey.oldest_unanswered_at),
        first_token_wait_seconds=age(min(survey.first_token_waits, default=None)),
        completed_seconds=age(max(completions.values())) if completions else None,
        failing=read_failing(client, completions, now_ms=now),
        lost_turns=lost_turns,
        workers=read_workers(client, survey, processes, now_ms=now),
        web_versions=tuple(process.version for process in processes if process.kind == WEB and process.is_recent(now)),
        running_turns=len(survey.running),
        recent=read_recent(client),
    )


def read_now_ms(client: Client) -> int:
    """Return the time of the store's server. Raises `StoreUnavailable`."""
    seconds, microseconds = client.time()
    return seconds * 1000 + microseconds // 1000
