"""Frozen values for the service's responses. `raw` is the JSON itself, with fields that this version does not know."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NotRequired, Required, TypeAlias, TypedDict, TypeVar

from inturn.parts import PartBody

Json: TypeAlias = dict[str, Any]
Status: TypeAlias = Literal["queued", "in_progress", "completed", "failed", "cancelled", "incomplete"]
OnBusy: TypeAlias = Literal["enqueue", "reject", "interrupt", "rollback"]
Lane: TypeAlias = Literal["interactive", "batch"]

LIVE: frozenset[Status] = frozenset({"queued", "in_progress"})


class TurnOptions(TypedDict, total=False):
    """Optional fields of a new turn. Fields that are None are not sent."""

    user_id: str | None
    assistant: str | None
    variables: Mapping[str, str] | None
    metadata: Mapping[str, str] | None
    on_busy: OnBusy | None
    lane: Lane | None
    start_within_seconds: float | None
    response_format: Mapping[str, Any] | None


class TurnBody(TurnOptions, total=False):
    """One turn of a batch."""

    session_id: Required[str]
    input: Required[str | Sequence[PartBody]]


class Changes(TypedDict, total=False):
    """The values that differ from those of the regenerated turn. Fields that are None are not sent."""

    assistant: str | None
    variables: Mapping[str, str] | None
    metadata: Mapping[str, str] | None
    on_busy: Literal["enqueue", "reject", "rollback"] | None
    fork: Literal["if_earlier", "always", "never"] | None
    session_id: str | None
    lane: Lane | None
    start_within_seconds: float | None


class SessionFilters(TypedDict, total=False):
    """Conditions on sessions; all must hold. None is any.

    `metadata` has labels, and `q` beginnings of words of the title. The times have an offset from UTC.
    """

    user_id: str | None
    archived: bool | None
    metadata: Mapping[str, str] | None
    q: str | None
    active_after: datetime | None
    active_before: datetime | None


class SessionChanges(TypedDict, total=False):
    """Fields of a session to change. A title None is that of the first message, and a value None removes an entry.

    `ttl_seconds` is the time for which the idle session is kept; None is for ever.
    """

    title: str | None
    metadata: Mapping[str, str | None]
    archived: bool
    ttl_seconds: float | None


class ForkOptions(TypedDict, total=False):
    """The end of a fork: with a turn, or before one; without both it has all messages. `new_session_id` is its id."""

    new_session_id: str | None
    through_turn: str | None
    before_turn: str | None


class MessageBody(TypedDict):
    """One message to import. `turn_id` is the turn that wrote it; the service does not have to know that turn.

    `created_at` is in the form of RFC 3339.
    """

    role: Literal["user", "assistant"]
    content: str
    turn_id: NotRequired[str | None]
    created_at: NotRequired[str | None]
    metadata: NotRequired[Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens as counted by the provider: the cached ones are part of the input, those of reasoning of the output."""

    input_tokens: int
    output_tokens: int
    total_tokens: int
    cached_tokens: int = 0
    reasoning_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The reason why a turn failed."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """The reason why a queued turn waits. `position` counts the session's live turns, from 1."""

    position: int
    waiting_for: Literal["turn", "worker", "retry", "pause"]
    turn_id: str | None
    retry_at: datetime | None


@dataclass(frozen=True, kw_only=True, repr=False)
class TurnData:
    """A snapshot of a turn. It never changes; fetch the turn again for a newer one.

    `data` is the object that a custom chain returned beside the text `output`, or None. `output_parts` has text,
    reasoning, tools, images and citations in order, as the API describes them; it is empty if there is only text.
    """

    id: str
    session_id: str
    user_id: str | None
    sequence: int
    status: Status
    status_reason: str | None
    attempt: int
    losses: int
    assistant: str
    lane: Lane
    model: str | None
    input: str
    output: str | None
    data: Any
    output_parts: tuple[Json, ...]
    usage: Usage | None
    error: Failure | None
    queue: Queue | None
    retry_of: str | None
    regenerates: str | None
    superseded_by: str | None
    forked_from: str | None
    metadata: Mapping[str, str]
    accepted_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None
    raw: Json = field(compare=False)

    @property
    def input_parts(self) -> tuple[Json, ...]:
        """The parts of an input that is more than text, each with all of its fields; empty for text."""
        return tuple(self.raw.get("input_parts") or ())

    @property
    def has_ended(self) -> bool:
        return self.status not in LIVE

    @property
    def text(self) -> str:
        """The answer, or an empty string if there is none."""
        return self.output or ""

    def __repr__(self) -> str:
        reason = self.error.code if self.error else self.status_reason
        status = f"{self.status} ({reason})" if reason else self.status
        answer = f" {_shorten(self.output)!r}" if self.output else ""
        return f"<{type(self).__name__} {self.id} of {self.session_id!r}: {status}{answer}>"


TurnT = TypeVar("TurnT", bound=TurnData)


@dataclass(frozen=True, kw_only=True)
class Session:
    """The state of a session."""

    session_id: str
    user_id: str | None
    status: Literal["idle", "busy"]
    running_turn: str | None
    queued_turns: tuple[str, ...]
    message_count: int
    version: int
    last_active_at: datetime | None
    title: str | None
    metadata: Mapping[str, str]
    archived: bool
    ttl_seconds: float | None
    created_at: datetime | None
    forked_from: str | None
    raw: Json = field(compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class Message:
    """One committed message. `number` counts the messages of the session, from 1.

    `incomplete`: it is the partial answer of a turn that was stopped.
    """

    number: int
    role: Literal["user", "assistant"]
    content: str
    turn_id: str | None
    created_at: datetime | None
    metadata: Mapping[str, str]
    incomplete: bool = False
    raw: Json = field(compare=False, repr=False)

    @property
    def parts(self) -> tuple[Json, ...]:
        """The parts of a message that is more than text; empty for text."""
        return tuple(self.raw.get("parts") or ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A variable of an assistant's prompt. `max_length` is in characters; None means the general limit."""

    required: bool
    default: str | None
    description: str
    max_length: int | None


@dataclass(frozen=True, kw_only=True)
class Assistant:
    """A named chain with the variables that it declares.

    `lane` applies to turns that do not set one; `max_input_bytes` is 0 if the service is older.
    """

    name: str
    description: str
    model: str
    lane: Lane
    variables: Mapping[str, Variable]
    max_input_bytes: int
    raw: Json = field(compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class UnansweredQuestion:
    """A question whose turn failed, expired or was cancelled. `after` is the number of the message before it, or 0.

    `truncated`: `content` is only the beginning.
    """

    turn_id: str
    after: int
    content: str
    truncated: bool
    status: str
    error_code: str | None
    accepted_at: datetime | None
    raw: Json = field(compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """The response of `/readyz`: whether turns can be accepted and run, and the number of live workers and turns."""

    status: Literal["ok", "unsafe", "refusing", "no_workers"]
    durability: str
    live_workers: int
    live_turns: int
    raw: Json = field(compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class ServiceStatus:
    """Load and health of the service, for its operator."""

    paused: Mapping[str, datetime]
    live_turns: int
    waiting_turns: int
    oldest_waiting_seconds: float
    live_workers: int
    failed_turns: int
    raw: Json = field(compare=False, repr=False)


def _shorten(text: str, max_length: int = 40) -> str:
    return text if len(text) <= max_length else text[: max_length - 1] + "…"
