"""The error tree, sorted by the side that must act, with the HTTP status and code of errors that callers get.

    TurnsError
    ├── Refused                 the caller
    │   ├── InvalidRequest
    │   ├── Unauthenticated, Forbidden
    │   ├── TurnNotFound, TurnExpired, SessionNotFound, AssistantNotFound, WorkerNotFound, JobNotFound
    │   ├── SessionBusy, SessionChanged, SessionNotEmpty, TurnNotFailed, WorkerAlive, IdempotencyKeyReused
    │   ├── TurnNotCommitted, TurnNotLast
    │   ├── FileNotFound, FileInUse, FileTypeRefused, FilesFull, FilesUnavailable
    │   ├── KeyNotFound, KeyExists, KeyNotActive, LastKey
    │   ├── SessionBacklogFull, TenantBacklogFull, RateLimited, TokensSpent, TooManyJobs
    │   └── Overloaded, IntakePaused, StoreUnsafe, StreamsFull
    ├── LeaseLost               the worker, which stops the run
    ├── ModelError              the retry policy
    ├── HistoryUnusable         a person, who must repair the session's history
    ├── StoreUnavailable        the operator
    ├── ConfigurationError      the operator, at start
    └── IllegalTransition       the developers: it is a bug

The first line of a class's docstring is its default message. Codes are stable: callers compare them, and the client
has the same classes (`inturn/protocol/error_codes.py` is generated from here).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from turns.domain.error_codes import Code

MAX_FIELD_ERRORS = 10  # reported at once; a body of the largest size could have hundreds of thousands


class TurnsError(Exception):
    """The operation on a turn failed."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (type(self).__doc__ or "").partition("\n")[0])


class Refused(TurnsError):
    """The request was refused and nothing was stored."""

    status: ClassVar[int]
    code: ClassVar[str]
    retry_after_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class FieldError:
    """A wrong value: its path, in the caller's spelling, and the rule that it breaks."""

    field: str
    rule: str

    def __str__(self) -> str:
        return f"{self.field}: {self.rule}"


class InvalidRequest(Refused):
    """The request is not valid. The message has one line for each wrong field, with its rule."""

    status, code = 400, "invalid_request"

    def __init__(self, field: str, rule: str, *others: FieldError) -> None:
        self.errors = (FieldError(field, rule), *others)
        super().__init__("\n".join(map(str, self.errors)))


class Unauthenticated(Refused):
    """API key required. Send it as `Authorization: Bearer inturn_…`."""

    status, code = 401, "unauthenticated"


class Forbidden(Refused):
    """This API key does not allow this request."""

    status, code = 403, "forbidden"


class TurnNotFound(Refused):
    """There is no such turn."""

    status, code = 404, "turn_not_found"


class TurnExpired(Refused):
    """This turn ended, and its result is no longer kept."""

    status, code = 410, "turn_expired"


class TurnNotFailed(Refused):
    """Only a failed turn can be retried."""

    status, code = 409, "turn_not_failed"


class TurnNotCommitted(Refused):
    """This turn has no messages in the history: it has not completed, or they were replaced or deleted."""

    status, code = 409, "turn_not_committed"


class TurnNotLast(Refused):
    """This turn is not the last one in the history of its session. Fork the session before it instead."""

    status, code = 409, "turn_not_last"


class SessionNotFound(Refused):
    """There is no such session."""

    status, code = 404, "session_not_found"


class AssistantNotFound(Refused):
    """There is no such assistant."""

    status, code = 404, "assistant_not_found"


class WorkerNotFound(Refused):
    """No live worker has this name."""

    status, code = 404, "worker_not_found"


class JobNotFound(Refused):
    """There is no such job. Jobs are kept for one day."""

    status, code = 404, "job_not_found"


class WorkerAlive(Refused):
    """This worker sends heartbeats, so it keeps its turns. Drain it, or cancel the turns."""

    status, code = 409, "worker_alive"


class KeyNotFound(Refused):
    """There is no API key with this id."""

    status, code = 404, "key_not_found"


class KeyExists(Refused):
    """There is an API key with this id. Its secret was in the first response only; if that was lost, revoke the key."""

    status, code = 409, "key_exists"


class KeyNotActive(Refused):
    """This API key is revoked or expired; only an active one can be rotated."""

    status, code = 409, "key_not_active"


class LastKey(Refused):
    """This is the last active API key with one of its scopes."""

    status, code = 409, "last_key"

    def __init__(self, scope: str) -> None:
        super().__init__(
            f"This is the last active API key with the scope {scope}; nothing was done. To revoke it all the same, add "
            "even_last=true. Then only a command on the machine of the service creates another one."
        )


class SessionBusy(Refused):
    """The session has a live turn, and the request does not wait for it to end."""

    status, code = 409, "session_busy"


class SessionNotEmpty(Refused):
    """The session already has other messages. Choose a new session, or delete this one first."""

    status, code = 409, "session_not_empty"


class SessionChanged(Refused):
    """The session has another version than `If-Match`. Read it again, then decide whether to repeat the request."""

    status, code = 412, "session_changed"


class IdempotencyKeyReused(Refused):
    """This Idempotency-Key was already used with a different request."""

    status, code = 422, "idempotency_key_reused"


class FileNotFound(Refused):
    """There is no such file."""

    status, code = 404, "file_not_found"


class FileInUse(Refused):
    """A turn or a session refers to this file. It is deleted after them; to delete it now, erase the session."""

    status, code = 409, "file_in_use"


class FileTypeRefused(Refused):
    """This service takes no files of this type, or the content is not what its type says."""

    status, code = 415, "file_type_refused"


class FilesFull(Refused):
    """The files of this tenant would have too many bytes. Erase sessions, or wait until unused uploads expire."""

    status, code = 429, "files_full"
    retry_after_seconds = 60


class FilesUnavailable(Refused):
    """This service cannot store or read files at the moment."""

    status, code = 503, "files_unavailable"
    retry_after_seconds = 5


class SessionBacklogFull(Refused):
    """Too many turns of this session are waiting."""

    status, code = 429, "session_backlog_full"
    retry_after_seconds = 5


class TenantBacklogFull(Refused):
    """Too many turns of this tenant are waiting."""

    status, code = 429, "tenant_backlog_full"
    retry_after_seconds = 5


class RateLimited(Refused):
    """This tenant has reached its limit of turns per minute."""

    status, code = 429, "rate_limited"

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__()
        self.retry_after_seconds = retry_after_seconds


class TokensSpent(RateLimited):
    """This tenant's tokens for today are used up, or reserved for turns that have not ended."""

    status, code = 429, "tokens_spent"


class TooManyJobs(Refused):
    """Too many jobs have not ended. Wait for one of them, or stop one."""

    status, code = 429, "too_many_jobs"
    retry_after_seconds = 5


class Overloaded(Refused):
    """Too many turns are waiting."""

    status, code = 503, "overloaded"
    retry_after_seconds = 5


class IntakePaused(Refused):
    """This service accepts no turns at the moment."""

    status, code = 503, "intake_paused"
    retry_after_seconds = 10


class StoreUnsafe(Refused):
    """The store may delete turns, so no turn is accepted. Its operator must set maxmemory-policy to noeviction."""

    status, code = 503, "store_unsafe"
    retry_after_seconds = 30


class StreamsFull(Refused):
    """Too many streams are open. Wait for the turn with ?wait= instead, or try again later."""

    status, code = 503, "streams_full"
    retry_after_seconds = 5


class LeaseLost(TurnsError):
    """The turn has ended or has another owner; this run must stop and write nothing."""


class ModelErrorKind(StrEnum):
    RETRYABLE = "retryable"  # transient; the retry uses up an attempt
    RATE_LIMITED = "rate_limited"  # the provider limits the rate; the retry uses up no attempt
    SILENT = "silent"  # the model did not begin to answer; a retry would cost the same time again
    HOPELESS = "hopeless"  # the same request would fail again


class ModelError(TurnsError):
    """The model gave no usable answer.

    `retry_after_seconds` is the delay that the provider asked for, or None; `provider_status` the HTTP status of its
    error, or None. The message is for the log only, because it may contain the provider's text.
    """

    def __init__(
        self,
        code: Code,
        kind: ModelErrorKind,
        *,
        message: str = "",
        retry_after_seconds: float | None = None,
        provider_status: int | None = None,
    ) -> None:
        super().__init__(message or code)
        self.code = code
        self.kind = kind
        self.retry_after_seconds = retry_after_seconds
        self.provider_status = provider_status


class HistoryUnusable(TurnsError):
    """The session's history exists, and cannot be read."""


class StoreUnavailable(TurnsError):
    """The store cannot be reached, or refuses to write.

    `refused`: the store itself refused, and wrote nothing. Otherwise the write may have taken effect.
    """

    status: ClassVar[int] = 503
    code: ClassVar[str] = "store_unavailable"
    retry_after_seconds: ClassVar[int] = 2

    def __init__(self, message: str = "", *, refused: bool = False) -> None:
        super().__init__(message)
        self.refused = refused


class ConfigurationError(TurnsError):
    """The configuration is not usable. The message lists what to change."""


class IllegalTransition(TurnsError):
    """The table in `turns/domain/state.py` has no such transition."""
