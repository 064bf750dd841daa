"""Find keys that would stay forever: each key needs a TTL, a live turn, or an entry in a pruned index."""

from typing import Any

from turns.backend import keys
from turns.domain.worker_kind import WorkerKind

PERMANENT = {
    keys.START_BY.name,
    keys.DUE.name,
    keys.EXPIRING.name,
    keys.WAITING.name,
    keys.METRICS.name,
    keys.USAGE_ENTRIES.name,
    keys.FAILING.name,
    keys.COUNTER_SNAPSHOTS.name,
    keys.FAILED.name,
    keys.WORKERS.name,
    keys.WORKER_SLOTS.name,
    keys.CONNECTED.name,
    keys.WORKER_MODELS.name,
    keys.PROCESSES.name,
    *(keys.WORKER_GAPS(kind) for kind in WorkerKind),
    keys.SERVICE.name,
    keys.HINTS.name,
    keys.CHAIN_HINTS.name,
    keys.HOLDS.name,
    keys.PAUSES.name,
    keys.CROWDED.name,
    keys.API_KEYS.name,
    keys.LIMITED.name,
    keys.KEY_USES.name,
    keys.JOBS.name,
    keys.JOBS_DUE.name,
    keys.ERASED_USERS.name,
    keys.ERASURES.name,
    keys.FILES_DUE.name,
    keys.FILES_REMOVED.name,
    keys.FILES_LENT.name,
    keys.FILE_BYTES.name,
}
WHILE_ANY_TURN_IS_LIVE = (keys.DEFINITION, keys.TENANT, keys.SLOTS, keys.SLOT_WAITERS)
PER_LIVE_TURN = (keys.TURN, keys.EVENTS)
PER_BUSY_SESSION = (keys.SESSION, keys.QUEUE, keys.HISTORY)
SESSION_INDEXES = (keys.SESSIONS, keys.USER_SESSIONS)
INDEXES = (keys.TURNS, keys.SESSION_TURNS, keys.USER_TURNS)


def leaked_keys(raw: Any) -> set[str]:
    """Return the keys without a TTL that no live turn needs."""
    sessions = {name.decode().removeprefix(keys.QUEUE.name) for name in raw.scan_iter(keys.QUEUE("*"))}
    live = {turn.decode() for session in sessions for turn in raw.lrange(keys.QUEUE(session), 0, -1)}
    pins = {raw.hget(keys.TURN(turn), "idempotency") for turn in live} - {None}
    expected = PERMANENT | {f"_kombu.binding.{queue.name}" for queue in (keys.HINTS, keys.CHAIN_HINTS)}
    expected |= {family(turn) for family in PER_LIVE_TURN for turn in live}
    expected |= {family(session) for family in PER_BUSY_SESSION for session in sessions}
    expected |= {keys.IDEMPOTENCY(pin.decode()) for pin in pins if pin}
    listed = live | {member.decode().rpartition("/")[2] for member in raw.zrange(keys.EXPIRING.name, 0, -1)}
    indexes = [name for family in INDEXES for name in raw.scan_iter(family("*"))]
    expected |= {name.decode() for name in indexes if {turn.decode() for turn in raw.zrange(name, 0, -1)} <= listed}
    kept = {name for family in PER_BUSY_SESSION for name in _members(raw, family)}
    listed_sessions = [name for family in SESSION_INDEXES for name in raw.scan_iter(family("*"))]
    expected |= {name.decode() for name in listed_sessions if {s.decode() for s in raw.zrange(name, 0, -1)} <= kept}
    expected |= {keys.TENANT(tenant.decode()) for tenant in raw.zrange(keys.LIMITED.name, 0, -1)}
    listed_keys = [key_id.decode() for key_id in raw.zrange(keys.API_KEYS.name, 0, -1)]
    expected |= {family(key_id) for family in (keys.API_KEY, keys.KEY_INFO) for key_id in listed_keys}
    for hold in raw.zrange(keys.HOLDS.name, 0, -1):  # which `rescue` checks until it is over
        expected |= {keys.HOLD(hold.decode()), keys.HELD(hold.decode())}
    expected |= {keys.PAUSED(part.decode()) for part in raw.zrange(keys.PAUSES.name, 0, -1)}
    for file in raw.zrange(keys.FILES_DUE.name, 0, -1):  # which a sweep checks until nothing refers to it
        expected |= {keys.FILE(file.decode()), keys.FILE_HOLDERS(file.decode())}
    if live:
        expected |= {name.decode() for family in WHILE_ANY_TURN_IS_LIVE for name in raw.scan_iter(family("*"))}
    return {name.decode() for name in raw.scan_iter("*") if raw.ttl(name) == -1} - expected


def _members(raw: Any, family: keys.Key) -> set[str]:
    return {name.decode().removeprefix(family.name) for name in raw.scan_iter(family("*"))}
