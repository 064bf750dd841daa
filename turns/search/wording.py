"""The sentences of a search: what was found, with the last turn, or that nothing was."""

from collections.abc import Mapping
from types import MappingProxyType

from turns.config.settings import Settings
from turns.domain.ids import DEFAULT_TENANT
from turns.domain.state import LIVE, Status
from turns.operations.wording import format_duration
from turns.search.found_turn import FoundTurn

DAY_SECONDS = 86_400
LIVE_PHRASES: Mapping[Status, str] = MappingProxyType({Status.QUEUED: "waiting", Status.IN_PROGRESS: "running"})


def name_owner(tenant: str, user_id: str | None = None) -> str:
    """Return the user and the tenant as a part of a sentence, such as ` of user u1, tenant acme`, or ''."""
    parts = [f"user {user_id}"] if user_id else []
    parts += [f"tenant {tenant}"] if tenant != DEFAULT_TENANT else []
    return f" of {', '.join(parts)}" if parts else ""


def name_state(turn: FoundTurn, now: int) -> str:
    """Return the state of a turn and its age, such as `failed 40 s ago (provider_timeout)` or `running for 3 s`."""
    if turn.status in LIVE:
        since = turn.started_at if turn.status is Status.IN_PROGRESS and turn.started_at else turn.accepted_at
        return f"{LIVE_PHRASES[turn.status]} for {name_age(now - since)}"
    reason = turn.error_code or turn.status_reason
    ended = f"{turn.status} {name_age(now - (turn.finished_at or turn.accepted_at))} ago"
    return f"{ended} ({reason})" if reason else ended


def name_age(age_ms: int) -> str:
    """Return a duration in words, in whole seconds or longer units."""
    return name_period(max(0, age_ms) // 1000)


def name_period(seconds: float) -> str:
    """Return a duration in words, with days from two of them on."""
    days, hours = int(seconds // DAY_SECONDS), float(seconds) / 3600
    if days > 1:
        return f"{days} days"
    return f"{hours:.0f} h" if hours >= 1 and hours.is_integer() else format_duration(seconds)


def describe_nothing(text: str, *, settings: Settings, is_complete: bool) -> str:
    """Return what was looked through for a text that names nothing, and how long it would have been there."""
    sessions = name_period(settings.session_ttl_seconds) if settings.session_ttl_seconds else "ever"
    kept = f"Ended turns are kept for {name_period(settings.result_ttl_seconds)} and idle sessions for "
    bound = "" if is_complete else " Only the newest turns and sessions were looked through, because there are many."
    return (
        f"Nothing is named “{text}”: no turn, session, user, tenant, request, trace or idempotency key. "
        f"{kept}{sessions}.{bound}"
    )
