"""What the service answers, as frozen values. `raw` is the JSON itself, with fields that this version does not know."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NotRequired, Required, TypeAlias, TypedDict

Json: TypeAlias = dict[str, Any]
Status: TypeAlias = Literal["queued", "in_progress", "completed", "failed", "cancelled", "incomplete"]
OnBusy: TypeAlias = Literal["enqueue", "reject", "interrupt", "rollback"]
Lane: TypeAlias = Literal["interactive", "batch"]

LIVE: frozenset[Status] = frozenset({"queued", "in_progress"})


class TurnOptions(TypedDict, total=False):
    """What can be said about a turn, beside its session and its input. What is None is not sent."""

    user_id: str | None
    assistant: str | None
    variables: Mapping[str, str] | None
    metadata: Mapping[str, str] | None
    on_busy: OnBusy | None
    lane: Lane | None
    start_within_seconds: float | None


class TurnBody(TurnOptions, total=False):
    """One turn of a batch."""

    session_id: Required[str]
    input: Required[str]


class MessageBody(TypedDict):
    """One message to be imported. `turn_id`: the turn that said it, which need not be known to the service."""

    role: Literal["user", "assistant"]
    content: str
    turn_id: NotRequired[str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens, as the provider counted them."""

    input_tokens: int
    output_tokens: int
    total_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a turn has failed."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What a queued turn waits for. `position` is its place among its session's live turns, from 1."""

    position: int
    waiting_for: Literal["turn", "worker", "retry"]
    turn_id: str | None
    retry_at: datetime | None


@dataclass(frozen=True, kw_only=True, repr=False)
class TurnData:
    """A turn at one moment; ask again for a later one."""

    id: str
    session_id: str
    user_id: str | None
    sequence: int
    status: Status
    status_reason: str | None
    attempt: int
    assistant: str
    lane: Lane
    model: str | None
    input: str
    output: str | None
    usage: Usage | None
    error: Failure | None
    queue: Queue | None
    retry_of: str | None
    metadata: Mapping[str, str]
    accepted_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None
    raw: Json = field(compare=False)

    @property
    def has_ended(self) -> bool:
        return self.status not in LIVE

    @property
    def text(self) -> str:
        """The answer; empty where there is none."""
        return self.output or ""

    def __repr__(self) -> str:
        said = f" {_short(self.output)}" if self.output else ""
        why = f" ({self.error.code if self.error else self.status_reason})" if self.error or self.status_reason else ""
        return f"<{type(self).__name__} {self.id} of {self.session_id!r}: {self.status}{why}{said}>"


@dataclass(frozen=True, kw_only=True)
class Session:
    """What a session is doing."""

    session_id: str
    user_id: str | None
    status: Literal["idle", "busy"]
    running_turn: str | None
    queued_turns: tuple[str, ...]
    message_count: int
    last_active_at: datetime | None
    raw: Json = field(compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class Message:
    """One committed message. `number` is its place in the history, from 1."""

    number: int
    role: Literal["user", "assistant"]
    content: str
    turn_id: str | None
    raw: Json = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """What callers can set. `max_length`: in characters, where it has a limit of its own."""

    required: bool
    default: str | None
    description: str
    max_length: int | None


@dataclass(frozen=True, kw_only=True)
class Assistant:
    """A named chain; `variables` are those that it declares, `lane` is that of turns whose caller names none."""

    name: str
    description: str
    model: str
    lane: Lane
    variables: Mapping[str, Variable]
    raw: Json = field(compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """What `/readyz` says: whether the store is safe, and how many workers and turns are live."""

    status: Literal["ok", "unsafe"]
    durability: str
    live_workers: int
    live_turns: int
    raw: Json = field(compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class ServiceStatus:
    """How the service does, for its operator."""

    paused: Mapping[str, datetime]
    live_turns: int
    waiting_turns: int
    oldest_waiting_seconds: float
    live_workers: int
    failed_turns: int
    raw: Json = field(compare=False, repr=False)


def _short(text: str, most: int = 40) -> str:
    return repr(text if len(text) <= most else text[: most - 1] + "…")
