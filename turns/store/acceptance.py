"""What a turn is accepted with, and what each refusal means."""

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from types import MappingProxyType

from turns.backend.script_replies import Reply
from turns.domain.assistant import Lane
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
from turns.domain.turn import Turn, TurnRequest

OPTIONAL = ("retry_of", "traceparent")  # fields of a record that not every turn has

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


def to_fields(request: TurnRequest) -> dict[str, str]:
    """The fields of the record that say what was asked for."""
    assistant, lane = request.assistant, request.lane or request.assistant.lane
    return {
        "assistant": assistant.name,
        "definition": assistant.digest,
        **assistant.record_fields,
        "input": request.input,
        "variables": json.dumps(assistant.with_defaults(request.variables)),
        **({"metadata": json.dumps(dict(request.metadata))} if request.metadata else {}),
        **{name: value for name in OPTIONAL if (value := getattr(request, name))},
        **({"lane": lane} if lane is not Lane.INTERACTIVE else {}),
    }


def key_digest(request: TurnRequest) -> str:
    """Names the request's idempotency key, which is its tenant's alone; empty where there is none."""
    return _digest(f"{request.tenant}\n{request.idempotency_key}") if request.idempotency_key else ""


def fingerprint(request: TurnRequest) -> str:
    """The same for two requests exactly if they ask for the same; empty where there is no idempotency key."""
    if not request.idempotency_key:
        return ""
    asked = asdict(request)
    asked["assistant"] = request.assistant.name  # not its version: that may change before the request is repeated
    del asked["traceparent"]  # who repeats a request may trace it anew
    return _digest(json.dumps(asked, sort_keys=True))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
