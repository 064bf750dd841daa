"""Which partition gets which key, or which entries of it: a rule for each key that `turns/backend/keys.py` declares."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from turns.backend import keys
from turns.backend.keys import CATALOGUE, Key


class By(StrEnum):
    """What determines the partition."""

    TURN = "turn"  # that of the turn's session
    SESSION = "session"
    FILE = "file"
    HOLDER = "holder"  # that of the turn or the session that holds a file
    TENANT = "tenant"  # only if sessions are placed by tenant; otherwise no partition keeps it
    HOME = "home"  # the home partition has it
    ALL = "all"  # each partition gets it


def _same(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class Whole:
    """A key that stays in one piece. `cut` returns the id from the member of the family, or from `field` of a hash."""

    by: By
    cut: Callable[[str], str] = _same
    field: str = ""


@dataclass(frozen=True, slots=True)
class Split:
    """A key whose entries are divided. `cut` returns the id from an entry."""

    by: By
    cut: Callable[[str], str] = _same


@dataclass(frozen=True, slots=True)
class Built:
    """A key that is composed anew for each partition, by `copier.py` and `lent_files.py`."""


@dataclass(frozen=True, slots=True)
class Left:
    """A key that is not moved."""

    reason: str


Rule = Whole | Split | Built | Left


def _after_slash(text: str) -> str:
    return text.rpartition("/")[2]


def _before_slash(text: str) -> str:
    return text.rpartition("/")[0]


def _before_colon(text: str) -> str:
    return text.rpartition(":")[0]


PROCESSES = Left("processes of the cluster register themselves")
SECONDS = Left("it lasts for seconds")
HINTS = Left("rescue sends the hint of each waiting turn again")
CHANNEL = Left("a channel stores nothing")

RULES: Mapping[Key, Rule] = MappingProxyType(
    {
        # turns and sessions
        keys.TURN: Whole(By.TURN),
        keys.EVENTS: Whole(By.TURN),
        keys.IDEMPOTENCY: Whole(By.TURN, field="turn"),
        keys.DELETED: Whole(By.HOME),  # where a turn is looked for that no partition has
        keys.SESSION: Whole(By.SESSION),
        keys.QUEUE: Whole(By.SESSION),
        keys.HISTORY: Whole(By.SESSION),
        keys.SESSION_TURNS: Whole(By.SESSION),
        keys.IMPORT: SECONDS,
        keys.SENT_REQUEST: Left("it lasts for two minutes, in which a client repeats a request"),
        keys.DEFINITION: Built(),
        # indexes of turns and sessions
        keys.DUE: Split(By.TURN),
        keys.START_BY: Split(By.TURN),
        keys.WAITING: Split(By.TURN),
        keys.TURNS: Split(By.TURN),
        keys.USER_TURNS: Split(By.TURN),
        keys.EXPIRING: Split(By.SESSION, _before_slash),
        keys.FAILED: Split(By.TURN, _after_slash),
        keys.SESSIONS: Split(By.SESSION),
        keys.USER_SESSIONS: Split(By.SESSION),
        # holds, pauses and slots
        keys.HOLD: Whole(By.ALL),
        keys.HOLDS: Whole(By.ALL),
        keys.SHARED_HOLDS: Left("each partition gets the holds"),
        keys.COORDINATOR: Left("it lasts for a second"),
        keys.HELD: Split(By.TURN),
        keys.PAUSES: Whole(By.ALL),
        keys.PAUSES_PENDING: Left("each partition gets the pauses"),
        keys.PAUSED: Split(By.TURN),
        keys.SLOTS: Split(By.TURN),
        keys.SLOT_WAITERS: Split(By.TURN),
        keys.ASSISTANT_SLOTS: Left("they are divided anew"),
        keys.CROWDED: Whole(By.ALL),
        # tenants and their limits
        keys.TENANT: Whole(By.TENANT),
        keys.LIMITED: Split(By.TENANT),
        keys.RATE: Whole(By.TENANT),
        keys.TOKENS: Whole(By.TENANT, _before_colon),
        # what belongs to no session
        keys.SERVICE: Built(),
        keys.API_KEY: Whole(By.HOME),
        keys.KEY_INFO: Whole(By.HOME),
        keys.KEY_USES: Whole(By.HOME),
        keys.API_KEYS: Whole(By.HOME),
        keys.AUDIT: Whole(By.HOME),
        keys.AUDIT_REFUSED: Whole(By.HOME),
        keys.ERASED_USER: Whole(By.HOME),
        keys.ERASED_USERS: Whole(By.HOME),
        keys.ERASURES: Whole(By.HOME),
        keys.ERASING: SECONDS,
        keys.JOB: Whole(By.HOME),
        keys.JOBS: Whole(By.HOME),
        keys.JOBS_DUE: Whole(By.HOME),
        keys.JOB_TURNS: Whole(By.HOME),
        keys.DISCARDED: Split(By.TURN, _after_slash),
        keys.SET_ASIDE: Whole(By.HOME),
        # counters and usage, which readers add up
        keys.METRICS: Whole(By.HOME),
        keys.COUNTER_SNAPSHOTS: Whole(By.HOME),
        keys.FAILING: Left("the next failed attempt begins it anew; only an answer in the same partition would end it"),
        keys.USAGE_ENTRIES: Whole(By.HOME),
        keys.USAGE: Whole(By.HOME),
        keys.USER_USAGE: Whole(By.HOME),
        # uploaded files, whose bytes stay where they are
        keys.FILE: Whole(By.FILE),
        keys.FILE_HOLDERS: Split(By.HOLDER),
        keys.FILES_DUE: Split(By.FILE),
        keys.FILES_REMOVED: Split(By.FILE),
        keys.FILES_LENT: Built(),
        keys.FILE_BYTES: Built(),
        # processes
        keys.WORKERS: PROCESSES,
        keys.WORKER_SLOTS: PROCESSES,
        keys.WORKER_MODELS: PROCESSES,
        keys.CONNECTED: PROCESSES,
        keys.TAKEOVER: SECONDS,
        keys.DRAINED: PROCESSES,
        keys.PROCESS: PROCESSES,
        keys.PROCESSES: PROCESSES,
        keys.WORKER_GAPS: Whole(By.HOME),
        keys.REPAIRER: Left("the repair begins anew"),
        keys.PRUNER: SECONDS,
        keys.HINTS: HINTS,
        keys.CHAIN_HINTS: HINTS,
        keys.STOPPED: CHANNEL,
        keys.ENDED: CHANNEL,
        keys.CONNECTION: CHANNEL,
        keys.LIVE: CHANNEL,
    }
)

# Fields of the service that no partition takes over: the workers and the first start write them anew.
LEFT_FIELDS = frozenset(
    {
        *("live", "own_limits"),  # counted in each partition
        *("schema", "history", "partitions", "placement", "move"),
        *("hint", "chain_hint", "capacity", "chain_capacity", "shared_since", "chain_shared_since"),
        *("renewable_since", "repair_cursor", "watched_until", "store_id", "store_id_since"),
    }
)
EACH_FIELD = frozenset({"pace_ms"})  # each partition reads its own

_FAMILIES = sorted((key for key in CATALOGUE if key.name.endswith(":")), key=lambda key: len(key.name), reverse=True)
_SINGLE = {key.name: key for key in CATALOGUE}


def declaration_of(name: str) -> tuple[Key, str] | None:
    """Return the declaration of a key and the member of its family; None for an unknown key."""
    if name in _SINGLE and not name.endswith(":"):
        return _SINGLE[name], ""
    key = next((key for key in _FAMILIES if name.startswith(key.name)), None)
    return (key, name.removeprefix(key.name)) if key else None
