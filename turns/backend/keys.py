"""The names of all keys and channels in Redis. No other module contains one.

`script_loader.py` inserts the names into the Lua scripts. The documentation of the keys is generated from `CATALOGUE`.
A process serves one namespace, so `INTURN_NAMESPACE` is part of the names from their definition on: no caller can
forget it.
"""

from dataclasses import dataclass

from turns.config.environment import read_namespace

PREFIX = f"{namespace}:" if (namespace := read_namespace()) else ""


@dataclass(frozen=True, slots=True)
class Key:
    """A key, or a family of keys if its name ends in a colon; the id of the member follows the colon.

    It is defined by its name without the namespace. `holds` and `lives` describe its content and its lifetime for the
    documentation.
    """

    name: str
    type: str
    holds: str
    lives: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", PREFIX + self.name)

    def __call__(self, member: str) -> str:
        return self.name + member


TURN = Key(
    "inturn:turn:",
    "hash",
    "the record of one turn, by turn id; after its end most fields are lines of code and value in `packed`, and long "
    "texts are in `texts`, compressed, both in pieces (`p2`, …, and `2`, …)",
    "while the turn is live; then for the result retention",
)
DEFINITION = Key(
    "inturn:definition:",
    "hash",
    "`definition`: one version of an assistant, by its digest; `live`: number of live turns that need it",
    "while such turns are live; then for the result retention",
)
EVENTS = Key(
    "inturn:events:",
    "stream",
    "the events of one turn, by turn id; entry ids are `<claim number>-<n>`, for a delta with the number of its last "
    "character as n",
    "until the turn ends; longer, for the event retention, if the events do not follow from its record",
)
SESSION = Key(
    "inturn:session:",
    "hash",
    "`sequence` (the last one assigned), `session_id`, `user_id`, by session; `imported` (the digest of its imported "
    "messages); `changes` (with the number of messages, the version); `created_at` (ms); `title` (of the first "
    "message); what callers have set: `own_title`, `metadata` (JSON), `archived`, `ttl_ms` (0: for ever); "
    "`file/<file id>` (number of messages that refer to that uploaded file); `unanswered` (number of questions without "
    "an answer) and `unanswered/<n>` (the last 20 of them, JSON); if histories are files, also `messages` "
    "(number of committed messages) and `file` (the version of the file that contains them)",
    "while the session has live turns; then for its retention time, or always if that is its own choice",
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
IMPORT = Key(
    "inturn:import:",
    "list",
    "messages that are being imported, newest first, by a random token; the script renames it to the history",
    "one minute after its last part was written",
)
SESSION_TURNS = Key(
    "inturn:session_turns:",
    "sorted set",
    "the session's turns, live and ended, by their sequence number",
    "while it has members; an entry is removed when its turn's record expires",
)
DELETED = Key(
    "inturn:deleted:",
    "string",
    "the tenant of a turn that was deleted, by turn id, so that the request can be repeated",
    "one hour",
)
IDEMPOTENCY = Key(
    "inturn:idempotency:",
    "hash",
    "`turn` and `fingerprint` of the request that used an idempotency key",
    "as long as the turn's record",
)
SENT_REQUEST = Key(
    "inturn:sent_request:",
    "string",
    "the idempotency key of a request whose client repeats it by itself without one, by a digest of its bytes",
    "a minute after the time for which the request may be held",
)
DUE = Key(
    "inturn:due",
    "sorted set",
    "each live head once, at the time (ms) of its next check",
    "always; an entry is removed when its turn ends",
)
START_BY = Key(
    "inturn:start_by",
    "sorted set",
    "each turn that must be started by a time (ms) and has not started yet",
    "always; an entry is removed when its turn starts or ends",
)
HOLD = Key(
    "inturn:hold:",
    "hash",
    "a model that gets no turns, by its name or, for an assistant's own provider, `<provider>/<name>`: `reason` "
    "(`rate_limited` or `outage`), `code` of the last error, `since` and `until` (ms), `step` (failed probes), `probe` "
    "(the turn that tries; in a Redis Cluster, `partition/<number>` if another partition tries), `answered_at` (since "
    "then the waiting turns are admitted)",
    "until the model answers and no turn waits for it",
)
HOLDS = Key(
    "inturn:holds",
    "sorted set",
    "each hold by name, at the time (ms) of its next check",
    "while there are holds",
)
SHARED_HOLDS = Key(
    "inturn:shared_holds",
    "set",
    "the holds, by name, that some partition of a Redis Cluster has, so that the others follow it",
    "while there are any",
)
COORDINATOR = Key(
    "inturn:coordinator",
    "string",
    "the worker that has coordinated the partitions of a Redis Cluster last",
    "a second; then any worker does so",
)
HELD = Key(
    "inturn:held:",
    "sorted set",
    "the heads that wait for a hold, at the time (ms) at which they began to wait",
    "while there are any",
)
PAUSED = Key(
    "inturn:paused:",
    "sorted set",
    "the heads that wait for a part that an operator has paused, by part (`workers` or `<kind>/<name>`), at the time "
    "(ms) of their acceptance",
    "while there are any",
)
PAUSES = Key(
    "inturn:pauses",
    "sorted set",
    "each paused part, and each for which turns wait, at the time (ms) of its next check",
    "while there are any",
)
PAUSES_PENDING = Key(
    "inturn:pauses_pending",
    "set",
    "the numbers of the partitions of a Redis Cluster that may not have the last change of a pause yet",
    "until they have it",
)
TURNS = Key(
    "inturn:turns:",
    "sorted set",
    "each turn of a tenant that has a record, at the time (ms) of its acceptance",
    "always; an entry is removed when its turn's record expires",
)
USER_TURNS = Key(
    "inturn:user_turns:",
    "sorted set",
    "each turn of a user that has a record, by `<tenant>/<user>`, at the time (ms) of its acceptance",
    "while it has members; an entry is removed when its turn's record expires",
)
EXPIRING = Key(
    "inturn:expiring",
    "sorted set",
    "each ended turn, as `<session>/<turn id>`, at the time (ms) at which its record expires",
    "always; an entry is removed at that time",
)
SESSIONS = Key(
    "inturn:sessions:",
    "sorted set",
    "each session of a tenant at the time (ms) of its last activity",
    "always; the entries of expired sessions are removed once an hour",
)
USER_SESSIONS = Key(
    "inturn:user_sessions:",
    "sorted set",
    "each session of a user of a tenant as `<tenant>/<user>/<session>`, ordered by name",
    "always; the entries of expired sessions are removed once an hour",
)
WORKERS = Key(
    "inturn:workers",
    "sorted set",
    "each worker process at the time (ms) of its last heartbeat",
    "always; entries of dead workers are pruned",
)
WORKER_SLOTS = Key(
    "inturn:worker_slots",
    "hash",
    "the number of turns that each worker can run at once, by its name",
    "always; the field of a dead worker is removed",
)
CONNECTED = Key(
    "inturn:connected",
    "set",
    "the workers that keep a subscription to their channel `inturn:connection:<worker>`",
    "always; an entry is removed when its worker leaves or its subscription ends",
)
TAKEOVER = Key(
    "inturn:takeover:",
    "string",
    "another worker takes over the turns of this one, by name",
    "two seconds; then any worker takes over the rest",
)
WORKER_MODELS = Key(
    "inturn:worker_models",
    "hash",
    "the default model of each registered worker and its provider, by worker",
    "always; an entry is removed when its worker leaves, or when another one starts after it has vanished",
)
REPAIRER = Key(
    "inturn:repairer",
    "string",
    "the worker that repairs the indexes, or has done so last",
    "one minute after its last step; then another repair begins",
)
PRUNER = Key(
    "inturn:session_pruner",
    "string",
    "the worker that has removed the entries of expired sessions last",
    "one hour; then another one does so",
)
ERASED_USER = Key(
    "inturn:erased_user:",
    "hash",
    "the receipt of the erasure of a user, by `<tenant>/<user>`, which stays as a tombstone: `requested_at` and "
    "`ended_at` (ms), numbers of `sessions`, `turns` and `usage_rows`; `current`: the session that is being erased, "
    "with its number of turns",
    "400 days after the request",
)
ERASED_USERS = Key(
    "inturn:erased_users",
    "sorted set",
    "each erased user, as `<tenant>/<user>`, at the time (ms) of the request",
    "always; an entry is removed after 400 days, and the oldest ones of more than 100,000",
)
ERASURES = Key(
    "inturn:erasures",
    "sorted set",
    "each erasure of a user that is not complete, as `<tenant>/<user>`, at the time (ms) of the request",
    "while there are any",
)
ERASING = Key(
    "inturn:erasing:",
    "string",
    "the erasure of this user, `<tenant>/<user>`, is carried out by a process",
    "30 seconds after its last step; then another process goes on",
)
SET_ASIDE = Key(
    "inturn:set_aside:",
    "any",
    "a value of another type that stood under the name of a key of this service, by that name",
    "one week",
)
PROCESS = Key(
    "inturn:process:",
    "hash",
    "what a worker or a process of the endpoint reports about itself, by name: `kind`, `host`, `version`, `slots`, "
    "`model`, `memory_bytes`, `is_draining`, `started_at` (ms), `seen_at`; if it has ended, `ended_at` and `ended_by`",
    "15 minutes after its last report",
)
PROCESSES = Key(
    "inturn:processes",
    "sorted set",
    "the names of these processes, at the time (ms) of the last report",
    "always; at most 1,000 of the last 15 minutes",
)
WORKER_GAPS = Key(
    "inturn:worker_gaps:",
    "list",
    "the last 50 times in which no worker of a kind was running, newest first, as `<from (ms)>|<until>`",
    "always",
)
DRAINED = Key(
    "inturn:drained:",
    "string",
    "a request of an operator that this worker, by name, finishes its runs and exits",
    "ten minutes",
)
WAITING = Key(
    "inturn:waiting",
    "sorted set",
    "each head that waits for a worker, at the time (ms) at which it began to wait",
    "while heads wait",
)
FAILED = Key(
    "inturn:failed",
    "sorted set",
    "each failed turn that is not resolved, as `<tenant>/<turn id>`, at the time (ms) at which it failed",
    "always; an entry is removed when its record expires, or when it is retried or discarded",
)
JOB = Key(
    "inturn:job:",
    "hash",
    "a bulk act of an operator, by job id: `spec` (act, filter, rate, reason, key id), its progress, and the `token` "
    "of the process that does the present step",
    "one day after its last step",
)
JOBS = Key(
    "inturn:jobs",
    "sorted set",
    "the last 100 jobs by id, at the time (ms) at which each was confirmed",
    "always; entries of expired jobs are removed when a job is created",
)
JOBS_DUE = Key(
    "inturn:jobs_due",
    "sorted set",
    "each job that has not ended, at the time (ms) at which any process may do its next step",
    "always; at most 10 entries, each removed when its job ends or expires",
)
JOB_TURNS = Key(
    "inturn:job_turns:",
    "list",
    "the turns of a job that has not ended, as `<tenant>/<turn id>`, by job id",
    "until the job ends; at most one day after its last step",
)
DISCARDED = Key(
    "inturn:discarded:",
    "sorted set",
    "the turns that a job has discarded, as `<tenant>/<turn id>`, at the time (ms) at which each failed, for an undo",
    "one day after the last discard; an entry is removed when it is restored",
)
METRICS = Key(
    "inturn:metrics",
    "hash",
    "counters and histograms since the store was created, by name, labels and bucket",
    "always; one field for each combination",
)
FAILING = Key(
    "inturn:failing",
    "hash",
    "failed attempts of each model since its last completed turn: `<first (ms)>|<last (ms)>|<number>|<last code>`, by "
    "name; for an assistant's own provider, `<provider>/<name>`",
    "always; one field for each model",
)
COUNTER_SNAPSHOTS = Key(
    "inturn:notes",
    "stream",
    "a copy of `inturn:metrics` from the beginning of each minute, `depth|live` and `depth|waiting`: numbers of turns, "
    "and `noted_at` (ms); entry ids: `<minute (ms)>-0`",
    "always; an entry is removed after 25 hours",
)
TENANT = Key(
    "inturn:tenant:",
    "hash",
    "`live`: number of the tenant's live turns, if its limit is below that of all tenants; the limits that an operator "
    "has set for it: `concurrency`, `backlog`, `turns_per_minute`, `tokens_per_day`, `until` (ms), `reason`, `set_by` "
    "(id of an API key), `set_at` (ms)",
    "while the tenant has live turns or own limits",
)
LIMITED = Key(
    "inturn:limited",
    "sorted set",
    "each tenant with own limits, at the time (ms) at which they end, or infinity",
    "always; an entry is removed with the limits",
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
USAGE_ENTRIES = Key(
    "inturn:usage_entries",
    "list",
    "what ended runs took, oldest first, until it is added to the sums: `<ms>|<outcome>|<assistant>|<tenant>/<user>|"
    "<input>|<cached>|<output>|<reasoning tokens>|<unreported calls>|<cost>|<currency>|<model>`",
    "seconds while workers run; at most 100,000 entries, without the oldest ones",
)
USAGE = Key(
    "inturn:usage:",
    "hash",
    "sums of one day, by days since the epoch: `<tenant>|<assistant>|<currency>|<model>` to the numbers of completed, "
    "failed, cancelled and incomplete turns, of runs that did not end their turn, of input, cached, output and "
    "reasoning tokens, of unreported calls, and the cost in billionths of the currency, joined by `|`",
    "`INTURN_USAGE_DAYS`; at most 10,000 fields, and `*` for the rest",
)
USER_USAGE = Key(
    "inturn:user_usage:",
    "hash",
    "likewise by user, by `<tenant>:<days since the epoch>`; `-` is without a user",
    "`INTURN_USAGE_DAYS`; at most 10,000 fields, and `*` for the rest",
)
SLOTS = Key(
    "inturn:out:",
    "set",
    "the heads that occupy a slot of a group: a tenant, the lane `batch`, an assistant with a `concurrency`, the turns "
    "that lost one worker, two, or more; while the workers are nearly full, also all turns of one kind of worker "
    "(`loop` or `chains`), and those of each model, custom chain and tenant (`loop/model:<name>`)",
    "while there are any",
)
SLOT_WAITERS = Key(
    "inturn:parked:",
    "sorted set",
    "the heads that wait for a slot of a group, at the time (ms) at which they began to wait",
    "while there are any",
)
ASSISTANT_SLOTS = Key(
    "inturn:assistant_slots",
    "hash",
    "the part of the `concurrency` of an assistant that a partition of a Redis Cluster has, as "
    "`<slots>|<concurrency>`, by the name of the assistant",
    "always; one field for each assistant whose turns have waited for a slot",
)
CROWDED = Key(
    "inturn:crowded",
    "sorted set",
    "each group with heads that wait for a slot, by name, at the time (ms) of its next check",
    "while heads wait for slots",
)
FILE = Key(
    "inturn:file:",
    "hash",
    "the record of an uploaded file, by file id: `tenant`, `user_id`, `session` (if it belongs to one), `name`, "
    "`media_type`, `size`, `sha256`, "
    "`created_at` (ms), `state` (`uploading` or `stored`); in a partition that has borrowed it only `tenant`, "
    "`user_id`, `state` (`borrowing` or `stored`) and `loan`, the token of the loan",
    "until a sweep finds that nothing refers to the file",
)
FILE_HOLDERS = Key(
    "inturn:file_holders:",
    "set",
    "what refers to a file, by file id: `t/<turn id>` while the turn has a record, `s/<session>` while "
    "its history does, `p/<partition>/<token>` while another partition of a Redis Cluster has borrowed it",
    "as long as the file's record",
)
FILES_DUE = Key(
    "inturn:files_due",
    "sorted set",
    "each file at the time (ms) of the next check whether anything refers to it",
    "always; an entry is removed with the file's record",
)
FILES_REMOVED = Key(
    "inturn:files_removed",
    "sorted set",
    "each file without a record whose bytes are to be deleted, at the time (ms) at which a process may do so; "
    "`<file id>/<token>` is to be returned to the partition that has lent it",
    "until the bytes are deleted",
)
FILES_LENT = Key(
    "inturn:files_lent",
    "sorted set",
    "each loan of a file to another partition of a Redis Cluster, `<file id>/<partition>/<token>`, at the time (ms) of "
    "the next check whether that partition has a record of it",
    "always; an entry is removed when the file is returned",
)
FILE_BYTES = Key(
    "inturn:file_bytes",
    "hash",
    "the number of bytes of all files of a tenant, by tenant",
    "always; a field is removed with the tenant's last file",
)
API_KEY = Key(
    "inturn:api_key:",
    "hash",
    "the credential of one API key, by its id: `digest`, `tenant`, `scopes`, `created_at`, `expires_at`; the key works "
    "as long as it exists",
    "until it expires or is revoked",
)
KEY_INFO = Key(
    "inturn:key_info:",
    "hash",
    "what is known of one API key, by its id: `tenant`, `scopes`, `created_at`, `expires_at`, `label`, and the ids of "
    "other keys: `created_by`, `replaces`, `replaced_by`, `revoked_by`; `revoked_at`",
    "until 90 days after the key expired or was revoked",
)
KEY_USES = Key(
    "inturn:key_uses",
    "hash",
    "the time (ms) at which each API key was last used, to the minute, by its id",
    "always; a field is removed with its key's entry in the list of keys",
)
API_KEYS = Key(
    "inturn:api_keys",
    "sorted set",
    "ids of the API keys, at the time (ms) at which each was created",
    "always; an entry is removed when keys are listed and nothing is known of its key any more",
)
AUDIT = Key(
    "inturn:audit",
    "stream",
    "what operators did: `action`, `what`, `key_id`, `tenant`, `target_tenant`, `request_id`, `reason` and `details`, "
    "without message text",
    "about 10,000 entries, each for 90 days",
)
AUDIT_REFUSED = Key(
    "inturn:audit_refused",
    "stream",
    "requests with a wrong key, and operators' requests that the scopes of their keys do not allow, likewise; at most "
    "one of each kind in a minute and process",
    "about 2,000 entries, each for 90 days",
)
SERVICE = Key(
    "inturn:service",
    "hash",
    "`live`: number of live turns; `renewable_since`: start of the present period without a gap in heartbeats; "
    "`repeated`: number of scripts that ran a second time; `pace_ms`: recent duration of a turn; `locked`: callers "
    "need an API key; `intake`, `workers` or `<kind>/<name>`, such as `tenant/acme`: a pause as JSON, with `by` (id "
    "of the API key), `reason`, `since`, `until_at` and `ended_at` (ms); `hint`: Celery's message for the "
    "task `run_turn`, with a placeholder for the turn id, written by the workers; "
    "`own_limits`: number of tenants with own limits; "
    "`schema`, `history` and, in a Redis Cluster, `partitions` and `placement`: what all processes must agree on; "
    "`move`: how far the move of this store into a Redis Cluster is, as JSON, in both; "
    "`repair_cursor`: progress of a repair; "
    "`capacity`: number of turns that these workers can run at once; `shared_since`: time (ms) since which turns share "
    "it; `chain_hint`, `chain_capacity`, `chain_shared_since`: likewise, of the chain workers; "
    "`completed_at:<model>`: time (ms) of its last completed turn; `loop_seen_at`, `chains_seen_at`: time (ms) of the "
    "last report of such a worker; `store_id`, `store_id_since`: a random id by which a replaced store or partition is "
    "noticed; "
    "`usage_folds`: number of additions to the sums of usage; `watched_until`: time (ms) until which readers of "
    "sessions learn of each new turn",
    "always; a fixed set of fields, one for each model, and at most 100 pauses",
)
HINTS = Key(
    "inturn:hints",
    "list",
    "the Celery queue: one hint for each dispatched head",
    "while it has members",
)
CHAIN_HINTS = Key(
    "inturn:chain_hints",
    "list",
    "the Celery queue of the chain workers: one hint for each dispatched head with a custom chain",
    "while it has members",
)
STOPPED = Key(
    "inturn:stopped",
    "channel",
    "pub/sub: the id of a running turn that was cancelled or interrupted, for its worker",
    "stores nothing",
)
ENDED = Key(
    "inturn:ended",
    "channel",
    "pub/sub: the id of each turn that ends, for long polls",
    "stores nothing",
)
CONNECTION = Key(
    "inturn:connection:",
    "channel",
    "pub/sub: nothing is published; its worker subscribes to it, by name, so that the end of the connection shows",
    "stores nothing",
)
LIVE = Key(
    "inturn:live:",
    "channel",
    "pub/sub, by session: `<turn id> <sequence> <entry id> <attempt> <type> <text>`, each entry of its turns' event "
    "streams as it is appended, and further changes in this form; an empty message when live turns have new positions",
    "stores nothing",
)

BY_NAME = {name.lower(): value for name, value in list(globals().items()) if isinstance(value, Key)}  # as in Lua
CATALOGUE = tuple(BY_NAME.values())
