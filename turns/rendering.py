"""The text of the scripts, with the names of keys, the transition table and the settings rendered into it."""

from collections.abc import Mapping
from importlib import resources

from turns import keys
from turns.settings import Settings
from turns.state import INITIAL, LIVE, TRANSITIONS
from turns.turn import FIRST_DELTA

# Shaped like a turn id, so that Celery renders it as one; never given to a turn.
HINT_PLACEHOLDER = "turn_" + "0" * 32

DEAD_WORKER_SECONDS = 10.0  # a worker beats once per `rescue_seconds`
LUA_TURN_ID = "turn_" + "%x" * 32

SHARED = ("metrics", "session", "quota", "share", "prelude", "ending", "show")
PARKED_MS = 60_000  # whoever leaves a place dispatches who is parked; this is for when that was missed
BUCKETS_MS = (50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 120_000, 300_000)  # of timings
PAUSED_LOOK_MS = 2_000  # after a pause of the workers ends, the last head is with them so much later
BURST_MS = 10_000  # a tenant may be so much ahead of its rate

VERBS = (
    "accept",
    "claim",
    "renew",
    "emit",
    "commit",
    "interrupt",
    "fail",
    "release",
    "cancel",
    "rescue",
    "erase",
    "read",
    "list_turns",
    "read_session",
    "list_sessions",
)


def render(verb: str, constants: str) -> str:
    """The text that Redis gets: shebang, constants, shared steps, the verb."""
    shebang, _, body = _source(verb).partition("\n")
    return "\n".join((shebang, constants, *map(_source, SHARED), body))


def _source(name: str) -> str:
    return resources.files("turns").joinpath("lua", f"{name}.lua").read_text(encoding="utf-8")


def render_constants(settings: Settings) -> str:
    names = {name.lower(): key.name for name, key in vars(keys).items() if isinstance(key, keys.Key)}
    after = {status: {event: to for (frm, event), to in TRANSITIONS.items() if frm is status} for status in LIVE}
    policy = {
        "initial": INITIAL,
        "first_delta": str(FIRST_DELTA),
        "buckets_ms": BUCKETS_MS,
        "default_tenant": keys.DEFAULT_TENANT,
        "hint_placeholder": HINT_PLACEHOLDER,
        "turn_id_pattern": LUA_TURN_ID,
        "session_backlog": settings.session_backlog,
        "max_live_turns": settings.max_live_turns,
        "tenant_backlog": settings.tenant_backlog,
        "tenant_concurrency": settings.tenant_concurrency,
        "batch_concurrency": settings.batch_concurrency,
        "parked_ms": PARKED_MS,
        "paused_look_ms": PAUSED_LOOK_MS,
        "turns_per_minute": settings.tenant_turns_per_minute,
        "burst_ms": BURST_MS,
        "tokens_per_day": settings.tenant_tokens_per_day,
        "reserved_tokens": settings.reserved_tokens,
        "max_attempts": settings.max_attempts,
        "history_window": settings.history_window,
        "lease_ms": _ms(settings.lease_seconds),
        "beat_gap_ms": _ms(max(settings.lease_seconds / 2, 3 * settings.rescue_seconds)),
        "hint_grace_ms": _ms(settings.hint_grace_seconds),
        "result_ttl_ms": _ms(settings.result_ttl_seconds),
        "event_ttl_ms": _ms(settings.event_ttl_seconds),
        "session_ttl_ms": _ms(settings.session_ttl_seconds),
        "worker_ttl_ms": _ms(DEAD_WORKER_SECONDS),
    }
    return "\n".join(
        f"local {name} = {_lua(table)}" for name, table in (("KEY", names), ("AFTER", after), ("POLICY", policy))
    )


def _lua(value: object) -> str:
    """A Lua literal. Sorted, so that every process renders the same script and Redis caches one of it."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name} = {_lua(value[name])}" for name in sorted(value)) + "}"
    if isinstance(value, tuple):
        return "{" + ", ".join(map(_lua, value)) + "}"
    if isinstance(value, int):
        return str(value)
    text = str(value)
    if "'" in text or "\\" in text:
        raise ValueError(f"{text!r} cannot stand in a Lua literal")
    return f"'{text}'"


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
