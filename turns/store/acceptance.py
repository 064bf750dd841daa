"""The result of accepting a turn: the turn, or the exception for a refusal."""

import math
from dataclasses import dataclass
from types import MappingProxyType

from turns.backend.script_replies import Reply
from turns.domain.errors import (
    FileNotFound,
    IdempotencyKeyReused,
    IntakePaused,
    Overloaded,
    RateLimited,
    Refused,
    SessionBacklogFull,
    SessionBusy,
    SessionChanged,
    SessionNotEmpty,
    TenantBacklogFull,
    TokensSpent,
    TurnNotCommitted,
    TurnNotFound,
    TurnNotLast,
)
from turns.domain.turn import Turn

REFUSALS: MappingProxyType[Reply, type[Refused]] = MappingProxyType(
    {
        Reply.KEY_REUSED: IdempotencyKeyReused,
        Reply.SESSION_CHANGED: SessionChanged,
        Reply.GONE: TurnNotFound,
        Reply.NOT_COMMITTED: TurnNotCommitted,
        Reply.NOT_LAST: TurnNotLast,
        Reply.FILE_GONE: FileNotFound,
        Reply.SESSION_BUSY: SessionBusy,
        Reply.NOT_EMPTY: SessionNotEmpty,
        Reply.BACKLOG_FULL: SessionBacklogFull,
        Reply.OVERLOADED: Overloaded,
        Reply.PAUSED: IntakePaused,
        Reply.TENANT_BACKLOG_FULL: TenantBacklogFull,
    }
)
METERED = MappingProxyType({Reply.RATE_LIMITED: RateLimited, Reply.TOKENS_SPENT: TokensSpent})


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The turn that was accepted for a request; `replayed` if an earlier request had the same key."""

    turn: Turn
    replayed: bool


def refusal(outcome: Reply, *, wait_ms: int) -> Refused:
    """Return the exception for a script's refusal; `wait_ms` is the time until a retry makes sense, or 0."""
    return METERED[outcome](math.ceil(wait_ms / 1000)) if outcome in METERED else REFUSALS[outcome]()
