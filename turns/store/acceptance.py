"""What a turn is accepted with, and what each refusal means."""

import math
from dataclasses import dataclass
from types import MappingProxyType

from turns.backend.script_replies import Reply
from turns.domain.errors import (
    IdempotencyKeyReused,
    IntakePaused,
    Overloaded,
    RateLimited,
    Refused,
    SessionBacklogFull,
    SessionBusy,
    SessionNotEmpty,
    TenantBacklogFull,
    TokensSpent,
)
from turns.domain.turn import Turn

REFUSALS: MappingProxyType[Reply, type[Refused]] = MappingProxyType(
    {
        Reply.KEY_REUSED: IdempotencyKeyReused,
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
    """The turn that stands for a request. `replayed`: the request had been accepted before."""

    turn: Turn
    replayed: bool


def refusal(word: Reply, *, wait_ms: int) -> Refused:
    """What a script's word of refusal means; `wait_ms`: after how long asking again makes sense, if that is known."""
    return METERED[word](math.ceil(wait_ms / 1000)) if word in METERED else REFUSALS[word]()
