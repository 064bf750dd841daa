"""Every key in Redis: the only place that spells them.

The scripts get these names rendered into their text (`scripts.py`), so Lua spells none of them either.
`docs/redis_keys.md` is generated from `CATALOGUE`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """A key, or a family of keys when its name ends in a colon: the member's id follows."""

    name: str
    type: str
    holds: str
    lives: str

    def __call__(self, member: str) -> str:
        return self.name + member


TURN = Key(
    "inturn:turn:",
    "hash",
    "the record of one turn, by turn id",
    "while the turn is live; then for the result retention",
)
DEFINITION = Key(
    "inturn:definition:",
    "hash",
    "`definition`: one version of an assistant, by its digest; `live`: how many live turns were accepted under it",
    "while there are such turns; then for the result retention",
)
EVENTS = Key(
    "inturn:events:",
    "stream",
    "what happened to one turn, by turn id; entry ids are `<claim number>-<n>`",
    "while the turn is live; then for the event retention",
)
SESSION = Key(
    "inturn:session:",
    "hash",
    "`sequence` (the last one given), `session_id`, `user_id`, by session; `imported` (the digest of the messages that "
    "it was given to begin with); where histories are files, also "
    "`messages` (how many are committed) and `file` (the version that has them)",
    "while the session has live turns; then for the session retention",
)
QUEUE = Key(
    "inturn:queue:",
    "list",
    "ids of the session's live turns in order of acceptance, head first",
    "while it has members",
)
HISTORY = Key(
    "message_store:",
    "list",
    "the session's committed messages, newest first, in the layout of LangChain's RedisChatMessageHistory",
    "while the session has live turns; then for the session retention",
)
SESSION_TURNS = Key(
    "inturn:session_turns:",
    "sorted set",
    "the session's turns by their place in it, live and ended",
    "while it has members; an entry leaves when its turn's record expires",
)
IDEMPOTENCY = Key(
    "inturn:idempotency:",
    "hash",
    "`turn` and `fingerprint` of the request that used an idempotency key",
    "as long as the turn's record",
)
DUE = Key(
    "inturn:due",
    "sorted set",
    "each live head once, at the time (ms) at which somebody should look at it again",
    "for ever; an entry leaves when its turn ends",
)
START_BY = Key(
    "inturn:start_by",
    "sorted set",
    "each turn that was not started yet and must be by some time (ms)",
    "for ever; an entry leaves when its turn starts or ends",
)
PAUSED = Key(
    "inturn:paused:",
    "string",
    "a model whose provider asked for a pause, by name; of an assistant's own provider, as `<provider>/<name>`",
    "for the pause",
)
TURNS = Key(
    "inturn:turns:",
    "sorted set",
    "each turn of a tenant whose record is kept, at the time (ms) at which it was accepted",
    "for ever; an entry leaves when its turn's record expires",
)
EXPIRING = Key(
    "inturn:expiring",
    "sorted set",
    "each ended turn, as `<session>/<turn id>`, at the time (ms) at which its record expires",
    "for ever; an entry leaves at that time",
)
SESSIONS = Key(
    "inturn:sessions:",
    "sorted set",
    "each session of a tenant at the time (ms) of its last activity",
    "for the session retention after the last activity of any of them; older entries are pruned",
)
WORKERS = Key(
    "inturn:workers",
    "sorted set",
    "each worker process at the time (ms) of its last beat",
    "for ever; entries of dead workers are pruned",
)
DRAINED = Key(
    "inturn:drained:",
    "string",
    "an operator told this worker to finish what it runs and to end, by the worker's name",
    "ten minutes",
)
WAITING = Key(
    "inturn:waiting",
    "sorted set",
    "each head that waits for a worker, since when (ms)",
    "while there are any",
)
FAILED = Key(
    "inturn:failed",
    "sorted set",
    "each failed turn that nobody has dealt with, as `<tenant>/<turn id>`, at the time (ms) at which it failed",
    "for ever; an entry leaves when its record expires, or it is tried again or discarded",
)
METRICS = Key(
    "inturn:metrics",
    "hash",
    "what was counted and timed since the store began, by name, labels and bucket",
    "for ever; a field for each combination",
)
NOTES = Key(
    "inturn:notes",
    "stream",
    "`inturn:metrics` as it was when each minute began, and `noted_at` (ms); entry ids are `<minute (ms)>-0`",
    "for ever; an entry leaves after 25 hours",
)
TENANT = Key(
    "inturn:tenant:",
    "hash",
    "`live`: the number of a tenant's live turns",
    "while there are any",
)
RATE = Key(
    "inturn:rate:",
    "string",
    "the time (ms) at which a tenant's next turn is due at its rate",
    "until that time",
)
TOKENS = Key(
    "inturn:tokens:",
    "string",
    "tokens that a tenant has used or reserved, by tenant and day since the epoch",
    "two days",
)
OUT = Key(
    "inturn:out:",
    "set",
    "the heads of a group (a tenant, the lane `batch`) that are out for a worker",
    "while there are any",
)
PARKED = Key(
    "inturn:parked:",
    "sorted set",
    "the heads of a group that wait for one of those to leave, since when (ms)",
    "while there are any",
)
API_KEY = Key(
    "inturn:api_key:",
    "hash",
    "what one API key allows, by its id: `digest`, `tenant`, `scopes`, `created_at`, `expires_at`",
    "until it expires or is revoked",
)
API_KEYS = Key(
    "inturn:api_keys",
    "sorted set",
    "ids of the API keys, at the time (ms) at which each was made",
    "for ever; an entry leaves when its key is revoked, or is listed after it has expired",
)
SERVICE = Key(
    "inturn:service",
    "hash",
    "`live`: the number of live turns; `renewable_since`: since when workers beat without a gap; "
    "`repeated`: how often a script ran again; `pace_ms`: how long turns take lately; "
    "`locked`: callers are asked for a key; "
    "`intake` and `workers`: since when (ms) they are paused; "
    "`hint`: Celery's own message text for the task `run_turn`, with a placeholder for the turn id, "
    "written by the workers",
    "for ever; a fixed set of fields",
)
HINTS = Key(
    "inturn:hints",
    "list",
    "the Celery queue: one hint for each dispatched head",
    "while it has members",
)
STOPPED = Key(
    "inturn:stopped",
    "channel",
    "pub/sub: the id of a running turn that was cancelled or interrupted; tells its worker",
    "holds nothing",
)
ENDED = Key(
    "inturn:ended",
    "channel",
    "pub/sub: the id of each turn at the moment it ends, and its record if that is not long; answers long-polls",
    "holds nothing",
)
LIVE = Key(
    "inturn:live:",
    "channel",
    "pub/sub: each entry of one turn's event stream as it is appended, by turn id",
    "holds nothing",
)
MOVED = Key(
    "inturn:moved:",
    "channel",
    "pub/sub: a turn of the session has ended and others wait, by session; they have another place now",
    "holds nothing",
)

CATALOGUE = (
    TURN,
    DEFINITION,
    EVENTS,
    SESSION,
    QUEUE,
    HISTORY,
    SESSION_TURNS,
    IDEMPOTENCY,
    DUE,
    START_BY,
    PAUSED,
    TURNS,
    EXPIRING,
    SESSIONS,
    WORKERS,
    DRAINED,
    WAITING,
    FAILED,
    METRICS,
    NOTES,
    TENANT,
    RATE,
    TOKENS,
    OUT,
    PARKED,
    API_KEY,
    API_KEYS,
    SERVICE,
    HINTS,
    STOPPED,
    ENDED,
    LIVE,
    MOVED,
)
