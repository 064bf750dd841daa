"""Render the Lua scripts: put the shared files that a verb requires before it, and insert the constants.

A file names in `-- requires:` lines the shared files whose functions it calls. `KEY.x` stands for a key name of
`keys.py`, `POLICY.x` for a setting or a constant below. Redis does not roll back, so each verb checks everything first
and writes last; the time is always the server's.
"""

import re
from collections.abc import Mapping
from functools import cache
from graphlib import TopologicalSorter
from importlib import resources

from turns.backend import keys
from turns.backend.record.packed import (
    FIELD_CODES,
    FIELD_NAMES,
    PACKED_FIELDS,
    PIECE_BYTES,
    SHORT_TIMES,
    TEXT_FIELDS,
    USUAL_VALUES,
)
from turns.config.settings import Settings
from turns.domain.ids import DEFAULT_TENANT
from turns.domain.run.breaker import ANSWER_CODES
from turns.domain.run.retry import COHORTS, MAX_DELAY_SECONDS
from turns.domain.state import INITIAL, LIVE, TRANSITIONS

# Shaped like a turn id, so that Celery serializes it like one. No turn has this id.
HINT_PLACEHOLDER = "turn_" + "0" * 32

LOST_WORKER_SECONDS = 900.0  # a worker without heartbeats is listed this long, so that operators see that it is gone
DEAD_WORKER_SECONDS = 10.0  # a worker sends a heartbeat once per `rescue_seconds`
NO_WORKER_MS = 20_000  # two missing reports of the only worker of a kind; its time without one is then recorded
MAX_GAPS = 50  # such times of each kind
MAX_PROCESSES = 1000  # records of processes, the latest ones; processes that crash at once could be many
LUA_TURN_ID = "turn_" + "%x" * 32

SLOT_WAIT_MS = 60_000  # then the due index dispatches a turn that the release of a slot should have dispatched
BUCKETS_MS = (50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 120_000, 300_000)  # of timings
SNAPSHOT_TTL_SECONDS = 25 * 3600  # the longest series covers a day and begins at a round time before it
CLOCK_STEP_MS = 2_000  # a heartbeat this far in the future means that the clock of the store was set back
SET_ASIDE_MS = 60_000  # interval at which an entry that raises an error is tried again
FIRST_RESUMED = 10  # turns of the first batch after a pause; the next batches double
PAUSE_POLL_MS = 500  # interval between two batches of turns that start after a pause
STREAK_MS = 300_000  # a failure after this time without one begins a new streak
CROWD_POLL_MS = 500  # interval at which a group is checked for which turns wait
HOLD_POLL_MS = 1_000  # interval at which a hold is checked
LONGEST_PROBE_GAP_MS = 15_000  # between two probes of a model that does not answer
ADMITTED_PER_POLL = 10  # turns, when the answers that should admit the next ones do not come
FOLLOW_MS = 10_000  # after this time without news of the partition that probes, a partition probes by itself
IDLE_HOLD_MS = 60_000  # a hold for which no turn waits is forgotten
JOB_LEASE_MS = 10_000  # a step of a job takes less; after this time another process does the step again
JOB_TTL_MS = 86_400_000
DELETED_TTL_MS = 3_600_000  # longer than any caller repeats a request
MAX_JOBS = 100  # listed ones; the oldest ended one makes room
MAX_OPEN_JOBS = 10
MAX_USAGE_ENTRIES = 100_000  # 12 MB; only if no worker has added them up for long
FILE_DELETE_MS = 60_000  # then another process deletes the bytes of a removed file
FEED_MS = 86_400_000  # the feed of ended turns goes back this far, or as far as records are kept
BURST_MS = 10_000  # a tenant may be ahead of its rate by this much

TURN_VERBS = (
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
    "reopen",
    "get_turn",
    "list_turns",
    "count_refusals",
    "record_silence",
)
JOB_VERBS = ("create_job", "claim_job", "collect_job", "advance_job", "stop_job", "discard", "restore")
USAGE_VERBS = ("fold_usage", "forget_user")
FEED_VERBS = ("list_ended",)
STREAM_VERBS = ("read_session_stream", "watch_sessions")
SESSION_VERBS = (
    "get_session",
    "list_sessions",
    "list_user_sessions",
    "patch_session",
    "import_messages",
    "erase",
    "adopt",
    "prune_sessions",
)
WORKER_VERBS = (
    "register_worker",
    "find_vanished",
    "remove_vanished",
    "remove_worker",
    "rescue_worker",
    "repair_sessions",
    "report_process",
)
PAUSE_VERBS = ("pause", "resume")
TENANT_VERBS = ("set_limits", "count_tenants")
FILE_VERBS = (
    "create_file",
    "complete_file",
    "delete_file",
    "sweep_files",
    "forget_files",
    "check_loans",
    "return_files",
)
LOAN_VERBS = ("borrow_file", "lend_file", "keep_file")
EDIT_VERBS = ("fork", "delete_turn")
HOLD_VERBS = ("get_hold", "share_hold")
SLOT_VERBS = ("get_slots", "set_slots")
VERBS = (
    *TURN_VERBS,
    *SESSION_VERBS,
    *WORKER_VERBS,
    *PAUSE_VERBS,
    *TENANT_VERBS,
    *JOB_VERBS,
    *USAGE_VERBS,
    *FEED_VERBS,
    *STREAM_VERBS,
    *FILE_VERBS,
    *LOAN_VERBS,
    *EDIT_VERBS,
    *HOLD_VERBS,
    *SLOT_VERBS,
)

# Constants are inserted as literals, because Lua would build tables of them anew in each call: 18 of the 229 µs of the
# three scripts of a turn. Likewise, each call creates its functions anew: all shared files in all scripts cost 11 µs.
CONSTANT = re.compile(r"\b(?:KEY|POLICY)\.[a-z_]+")
REQUIRES = re.compile(r"^-- requires: (.+)\n", re.MULTILINE)


def render(verb: str, constants: Mapping[str, str]) -> str:
    """Return the text of a script: its shebang, the shared files that it requires, and the verb.

    Raises `FileNotFoundError` for an unknown shared file and `graphlib.CycleError` for files that require each other.
    """
    shebang, _, body = read_source(verb).partition("\n")
    shared = [read_source(f"shared/{name}") for name in _link(verb)]
    text = REQUIRES.sub("", "\n".join([shebang, *shared, body]))
    return insert_constants(text, constants)


def insert_constants(text: str, constants: Mapping[str, str]) -> str:
    """Return the text with the literals of its constants."""
    return CONSTANT.sub(lambda found: constants[found[0]], text)


def _link(verb: str) -> list[str]:
    """Return the shared files that a verb requires, directly or not, each after the files that it requires itself."""
    graph: dict[str, list[str]] = {}
    pending = required_by(read_source(verb))
    while pending:
        name = pending.pop()
        if name not in graph:
            graph[name] = required_by(read_source(f"shared/{name}"))
            pending += graph[name]
    return list(TopologicalSorter(graph).static_order())


def required_by(source: str) -> list[str]:
    """Return the names in the `-- requires:` lines of a Lua file."""
    return [name for line in REQUIRES.findall(source) for name in line.split(", ")]


@cache
def read_source(name: str) -> str:
    """Return the text of a Lua file; shared files begin with `shared/`."""
    return resources.files("turns.backend").joinpath("lua", f"{name}.lua").read_text(encoding="utf-8")


def render_constants(settings: Settings) -> dict[str, str]:
    """Return the Lua literal of each constant by the name that the scripts use."""
    names = {name: key.name for name, key in keys.BY_NAME.items()}
    policy = {
        "transitions": {
            status: {event: to for (frm, event), to in TRANSITIONS.items() if frm is status} for status in LIVE
        },
        "field_codes": FIELD_CODES,
        "field_names": FIELD_NAMES,
        "usual_values": USUAL_VALUES,
        "short_times": SHORT_TIMES,
        "piece_bytes": PIECE_BYTES,
        "packed_fields": PACKED_FIELDS,
        "max_packed_bytes": PIECE_BYTES * len(PACKED_FIELDS),
        "max_texts_bytes": PIECE_BYTES * len(TEXT_FIELDS),
        "initial": INITIAL,
        "is_answer": dict.fromkeys(ANSWER_CODES, 1),
        "buckets_ms": BUCKETS_MS,
        "default_tenant": DEFAULT_TENANT,
        "hint_placeholder": HINT_PLACEHOLDER,
        "turn_id_pattern": LUA_TURN_ID,
        "session_backlog": settings.session_backlog,
        "max_live_turns": settings.max_live_turns,
        "tenant_backlog": settings.tenant_backlog,
        "tenant_concurrency": settings.tenant_concurrency,
        "batch_concurrency": settings.batch_concurrency,
        "partitions": max(1, settings.partitions),
        "slot_wait_ms": SLOT_WAIT_MS,
        "first_resumed": FIRST_RESUMED,
        "pause_poll_ms": PAUSE_POLL_MS,
        "clock_step_ms": CLOCK_STEP_MS,
        "set_aside_ms": SET_ASIDE_MS,
        "hold_poll_ms": HOLD_POLL_MS,
        "crowd_poll_ms": CROWD_POLL_MS,
        "max_share_percent": settings.max_share_percent,
        "longest_probe_gap_ms": LONGEST_PROBE_GAP_MS,
        "longest_pause_ms": to_ms(settings.longest_pause_seconds),
        "patience_ms": to_ms(settings.patience_seconds),
        "outage_patience_ms": to_ms(settings.outage_patience_seconds),
        "admitted_per_poll": ADMITTED_PER_POLL,
        "idle_hold_ms": IDLE_HOLD_MS,
        "follow_ms": FOLLOW_MS,
        "snapshot_ttl_ms": to_ms(SNAPSHOT_TTL_SECONDS),
        "turns_per_minute": settings.tenant_turns_per_minute,
        "burst_ms": BURST_MS,
        "streak_ms": STREAK_MS,
        "tokens_per_day": settings.tenant_tokens_per_day,
        "reserved_tokens": settings.reserved_tokens,
        "max_usage_entries": MAX_USAGE_ENTRIES,
        "max_losses": settings.max_losses,
        "cohorts": COHORTS,
        "retry_ms": to_ms(settings.retry_seconds),
        "max_retry_ms": to_ms(MAX_DELAY_SECONDS),
        "history": "file" if settings.history_directory else "redis",
        "history_window": settings.history_window,
        "deleted_ttl_ms": DELETED_TTL_MS,
        "lease_ms": to_ms(settings.lease_seconds),
        "beat_gap_ms": to_ms(max(settings.lease_seconds / 2, 3 * settings.rescue_seconds)),
        "hint_grace_ms": to_ms(settings.hint_grace_seconds),
        "result_ttl_ms": to_ms(settings.result_ttl_seconds),
        "event_ttl_ms": to_ms(min(settings.event_ttl_seconds, settings.result_ttl_seconds)),
        "file_ttl_ms": to_ms(settings.file_ttl_seconds),
        "file_check_ms": to_ms(settings.file_ttl_seconds / 2),
        "file_delete_ms": FILE_DELETE_MS,
        "session_ttl_ms": to_ms(settings.session_ttl_seconds),
        "erased_ttl_ms": to_ms(settings.session_ttl_seconds or settings.result_ttl_seconds),
        "dead_worker_ms": to_ms(DEAD_WORKER_SECONDS),
        "worker_ttl_ms": to_ms(LOST_WORKER_SECONDS),
        "no_worker_ms": NO_WORKER_MS,
        "max_gaps": MAX_GAPS,
        "max_processes": MAX_PROCESSES,
        "job_lease_ms": JOB_LEASE_MS,
        "job_ttl_ms": JOB_TTL_MS,
        "max_jobs": MAX_JOBS,
        "max_open_jobs": MAX_OPEN_JOBS,
        "feed_ms": min(FEED_MS, to_ms(settings.result_ttl_seconds)),
    }
    tables: dict[str, Mapping[str, object]] = {"KEY": names, "POLICY": policy}
    return {f"{table}.{name}": _lua(value) for table, values in tables.items() for name, value in values.items()}


def _lua(value: object) -> str:
    """Return a Lua literal; tables are sorted, so that all processes render the same text and Redis caches it once."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name} = {_lua(value[name])}" for name in sorted(value)) + "}"
    if isinstance(value, tuple):
        return "{" + ", ".join(map(_lua, value)) + "}"
    if isinstance(value, int):
        return str(value)
    text = str(value)
    if "'" in text or "\\" in text:
        raise ValueError(f"{text!r} cannot be written as a Lua literal")
    return f"'{text}'"


def to_ms(seconds: float) -> int:
    """Return whole milliseconds, the unit of the scripts."""
    return round(seconds * 1000)
