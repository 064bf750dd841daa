"""The service's error codes and the classes that the client raises for them."""

from types import MappingProxyType

from inturn import errors
from inturn.errors import InTurnError

ERRORS: tuple[tuple[int, str, type[InTurnError]], ...] = (
    # errors: generated
    (400, "invalid_request", errors.InvalidRequest),
    (401, "unauthenticated", errors.Unauthenticated),
    (403, "forbidden", errors.Forbidden),
    (404, "turn_not_found", errors.TurnNotFound),
    (404, "session_not_found", errors.SessionNotFound),
    (404, "assistant_not_found", errors.AssistantNotFound),
    (404, "worker_not_found", errors.WorkerNotFound),
    (404, "job_not_found", errors.JobNotFound),
    (404, "key_not_found", errors.KeyNotFound),
    (404, "file_not_found", errors.FileNotFound),
    (409, "turn_not_failed", errors.TurnNotFailed),
    (409, "turn_not_committed", errors.TurnNotCommitted),
    (409, "turn_not_last", errors.TurnNotLast),
    (409, "worker_alive", errors.WorkerAlive),
    (409, "key_exists", errors.KeyExists),
    (409, "key_not_active", errors.KeyNotActive),
    (409, "last_key", errors.LastKey),
    (409, "session_busy", errors.SessionBusy),
    (409, "session_not_empty", errors.SessionNotEmpty),
    (409, "file_in_use", errors.FileInUse),
    (410, "turn_expired", errors.TurnExpired),
    (412, "session_changed", errors.SessionChanged),
    (415, "file_type_refused", errors.FileTypeRefused),
    (422, "idempotency_key_reused", errors.IdempotencyKeyReused),
    (429, "files_full", errors.FilesFull),
    (429, "session_backlog_full", errors.SessionBacklogFull),
    (429, "tenant_backlog_full", errors.TenantBacklogFull),
    (429, "rate_limited", errors.RateLimited),
    (429, "tokens_spent", errors.TokensSpent),
    (429, "too_many_jobs", errors.TooManyJobs),
    (503, "files_unavailable", errors.FilesUnavailable),
    (503, "overloaded", errors.Overloaded),
    (503, "intake_paused", errors.IntakePaused),
    (503, "store_unsafe", errors.StoreUnsafe),
    (503, "streams_full", errors.StreamsFull),
    (503, "store_unavailable", errors.StoreUnavailable),
    # /errors
)

BY_CODE: MappingProxyType[str, type[InTurnError]] = MappingProxyType({code: error for _, code, error in ERRORS})

# For codes that this version does not know, and for responses of a proxy.
BY_STATUS: MappingProxyType[int, type[InTurnError]] = MappingProxyType(
    {
        401: errors.Unauthenticated,
        403: errors.Forbidden,
        413: errors.InvalidRequest,
        429: errors.TooMany,
        502: errors.Unavailable,
        503: errors.Unavailable,
        504: errors.Unavailable,
    }
)


def error_class(status: int, code: str | None) -> type[InTurnError]:
    """Return the class for a code, or for the status if the code is unknown, or None: not a problem of InTurn."""
    if code is not None and code in BY_CODE:
        return BY_CODE[code]
    if status in BY_STATUS:
        return BY_STATUS[status]
    return errors.InvalidRequest if code is not None and 400 <= status < 500 else errors.ServiceBroken
