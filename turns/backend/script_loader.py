"""The text of the scripts, with the names of keys, the transition table and the settings rendered into it."""

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources

from turns.backend import keys
from turns.config.settings import Settings
from turns.domain.ids import DEFAULT_TENANT
from turns.domain.state import INITIAL, LIVE, TRANSITIONS
from turns.domain.turn import FIRST_DELTA

# Shaped like a turn id, so that Celery renders it as one; never given to a turn.
HINT_PLACEHOLDER = "turn_" + "0" * 32

DEAD_WORKER_SECONDS = 10.0  # a worker beats once per `rescue_seconds`
LUA_TURN_ID = "turn_" + "%x" * 32

SHARED = ("metrics", "session", "history", "definition", "quota", "share", "prelude", "ending", "requeue", "show")
PARKED_MS = 60_000  # whoever leaves a place dispatches who is parked; this is for when that was missed
BUCKETS_MS = (50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 120_000, 300_000)  # of timings
NOTES_TTL_SECONDS = 25 * 3600  # a day of figures, and an hour, because they begin at a round time
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
    "import_messages",
    "erase",
    "get_turn",
    "list_turns",
    "get_session",
    "list_sessions",
)


# How the scripts write a constant. Its value takes its place, because a table of them would be built by each call anew.
CONSTANT = re.compile(r"\b(?:KEY|POLICY)\.[a-z_]+")
DEFINITION = re.compile(r"^local (?:function )?(\w+)", re.MULTILINE)


def render(verb: str, constants: Mapping[str, str]) -> str:
    """The text that Redis gets: shebang, the shared steps that the verb takes, the verb; constants replaced."""
    shebang, _, body = _source(verb).partition("\n")
    text = "\n".join([*_needed(body), body])
    table = [f"local AFTER = {constants['AFTER']}"] if "AFTER" in text else []
    return CONSTANT.sub(lambda found: constants[found[0]], "\n".join([shebang, *table, text]))


def _needed(body: str) -> list[str]:
    """Of the shared definitions those that are named in `body`, or in another one that is, in their order."""
    needed: list[str] = []
    text = body
    for name, definition in reversed(_definitions()):
        if re.search(rf"\b{name}\b", text):
            needed.insert(0, definition)
            text += definition
    return needed


@cache
def _definitions() -> list[tuple[str, str]]:
    """What the shared files define, in order: each may use what stands before it."""
    whole = "\n".join(map(_source, SHARED))
    starts = [found.start() for found in DEFINITION.finditer(whole)]
    ends = [*starts[1:], len(whole)]
    names = DEFINITION.findall(whole)
    return [(name, whole[start:end]) for name, start, end in zip(names, starts, ends, strict=True)]


@cache
def _source(name: str) -> str:
    return resources.files("turns.backend").joinpath("lua", f"{name}.lua").read_text(encoding="utf-8")


def render_constants(settings: Settings) -> dict[str, str]:
    """What stands for each constant in the scripts, as Lua."""
    names = {name.lower(): key.name for name, key in vars(keys).items() if isinstance(key, keys.Key)}
    after = {status: {event: to for (frm, event), to in TRANSITIONS.items() if frm is status} for status in LIVE}
    policy = {
        "initial": INITIAL,
        "first_delta": str(FIRST_DELTA),
        "buckets_ms": BUCKETS_MS,
        "default_tenant": DEFAULT_TENANT,
        "hint_placeholder": HINT_PLACEHOLDER,
        "turn_id_pattern": LUA_TURN_ID,
        "session_backlog": settings.session_backlog,
        "max_live_turns": settings.max_live_turns,
        "tenant_backlog": settings.tenant_backlog,
        "tenant_concurrency": settings.tenant_concurrency,
        "batch_concurrency": settings.batch_concurrency,
        "parked_ms": PARKED_MS,
        "paused_look_ms": PAUSED_LOOK_MS,
        "notes_ttl_ms": to_ms(NOTES_TTL_SECONDS),
        "turns_per_minute": settings.tenant_turns_per_minute,
        "burst_ms": BURST_MS,
        "tokens_per_day": settings.tenant_tokens_per_day,
        "reserved_tokens": settings.reserved_tokens,
        "max_attempts": settings.max_attempts,
        "history": "file" if settings.history_directory else "redis",
        "history_window": settings.history_window,
        "lease_ms": to_ms(settings.lease_seconds),
        "beat_gap_ms": to_ms(max(settings.lease_seconds / 2, 3 * settings.rescue_seconds)),
        "hint_grace_ms": to_ms(settings.hint_grace_seconds),
        "result_ttl_ms": to_ms(settings.result_ttl_seconds),
        "event_ttl_ms": to_ms(min(settings.event_ttl_seconds, settings.result_ttl_seconds)),
        "session_ttl_ms": to_ms(settings.session_ttl_seconds),
        "worker_ttl_ms": to_ms(DEAD_WORKER_SECONDS),
    }
    tables: dict[str, Mapping[str, object]] = {"KEY": names, "POLICY": policy}
    constants = {f"{table}.{name}": _lua(value) for table, values in tables.items() for name, value in values.items()}
    return {**constants, "AFTER": _lua(after)}


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


def to_ms(seconds: float) -> int:
    """Whole milliseconds, in which the scripts count."""
    return round(seconds * 1000)
