"""Which error a status and a code of the service are."""

from types import MappingProxyType

from inturn.errors import (
    AssistantNotFound,
    CountChanged,
    Forbidden,
    IdempotencyKeyReused,
    IntakePaused,
    InTurnError,
    InvalidRequest,
    Overloaded,
    RateLimited,
    ServiceBroken,
    SessionBacklogFull,
    SessionBusy,
    SessionNotEmpty,
    SessionNotFound,
    StoreUnavailable,
    StreamsFull,
    TenantBacklogFull,
    TokensSpent,
    TooMany,
    TurnExpired,
    TurnNotFailed,
    TurnNotFound,
    Unauthenticated,
    Unavailable,
    WorkerNotFound,
)

BY_CODE: MappingProxyType[str, type[InTurnError]] = MappingProxyType(
    {
        "invalid_request": InvalidRequest,
        "unauthenticated": Unauthenticated,
        "forbidden": Forbidden,
        "turn_not_found": TurnNotFound,
        "turn_expired": TurnExpired,
        "session_not_found": SessionNotFound,
        "assistant_not_found": AssistantNotFound,
        "worker_not_found": WorkerNotFound,
        "session_busy": SessionBusy,
        "session_not_empty": SessionNotEmpty,
        "turn_not_failed": TurnNotFailed,
        "count_changed": CountChanged,
        "idempotency_key_reused": IdempotencyKeyReused,
        "session_backlog_full": SessionBacklogFull,
        "tenant_backlog_full": TenantBacklogFull,
        "rate_limited": RateLimited,
        "tokens_spent": TokensSpent,
        "store_unavailable": StoreUnavailable,
        "overloaded": Overloaded,
        "intake_paused": IntakePaused,
        "streams_full": StreamsFull,
    }
)

# For a code that this version does not know, and for what a proxy in between answers.
BY_STATUS: MappingProxyType[int, type[InTurnError]] = MappingProxyType(
    {401: Unauthenticated, 403: Forbidden, 429: TooMany, 502: Unavailable, 503: Unavailable, 504: Unavailable}
)


def error_class(status: int, code: str | None) -> type[InTurnError]:
    if code is not None and code in BY_CODE:
        return BY_CODE[code]
    if status in BY_STATUS:
        return BY_STATUS[status]
    return InvalidRequest if 400 <= status < 500 else ServiceBroken
