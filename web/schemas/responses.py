"""What the service answers, as pydantic models: they make the JSON, and the OpenAPI document describes them.

Names are those of the domain, so this module is used as `schema.Turn`; `showing.py` makes them.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Generic, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from turns.domain.assistant import Lane
from turns.domain.error_codes import Code
from turns.domain.ids import NAME, TURN_ID
from turns.domain.state import Event, Status
from turns.domain.turn import WaitingFor
from turns.operations.actions import Switch

Instant = Annotated[
    str, WithJsonSchema({"type": "string", "format": "date-time", "description": "RFC 3339, UTC, milliseconds"})
]
TurnId = Annotated[str, WithJsonSchema({"type": "string", "pattern": f"^{TURN_ID.pattern}$"})]
Name = Annotated[str, WithJsonSchema({"type": "string", "pattern": f"^{NAME.pattern}$"})]


class Answered(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Output(Answered):
    role: Literal["assistant"] = "assistant"
    content: str


class Usage(Answered):
    """Tokens, as the provider counted them."""

    input_tokens: int
    output_tokens: int
    total_tokens: int


class Failure(Answered):
    """Why a turn has failed. The message is for its caller: no provider text, no detail of this service."""

    code: Code
    message: str


class Queue(Answered):
    """What a queued turn waits for: the turn before it in its session, a worker, or its next attempt."""

    position: int = Field(description="its place among its session's live turns, from 1")
    waiting_for: WaitingFor
    turn_id: TurnId | None = Field(description="the turn right before it")
    retry_at: Instant | None


class Links(Answered):
    self: str
    events: str
    cancel: str
    session: str
    messages: str


class Turn(Answered):
    """One user message and its answer, in one session."""

    id: TurnId
    object: Literal["turn"] = "turn"
    session_id: Name
    user_id: Name | None
    sequence: int = Field(description="its place in its session, from 1")
    status: Status
    status_reason: str | None = Field(description="`length`, `expired` or `interrupted`, where that is how it ended")
    attempt: int
    lane: Lane
    assistant: Name
    model: str | None
    input: str
    output: Output | None
    usage: Usage | None
    error: Failure | None
    queue: Queue | None = Field(description="while it is queued")
    retry_of: TurnId | None
    metadata: Mapping[str, str]
    accepted_at: Instant
    started_at: Instant | None
    finished_at: Instant | None
    expires_at: Instant | None = Field(description="until then the ended turn can be asked for")
    links: Links


class Session(Answered):
    object: Literal["session"] = "session"
    session_id: Name
    user_id: Name | None
    status: Literal["idle", "busy"]
    running_turn: TurnId | None
    queued_turns: tuple[TurnId, ...] = Field(description="in the order in which they will run")
    message_count: int
    last_active_at: Instant | None


class Message(Answered):
    """One committed message."""

    object: Literal["message"] = "message"
    number: int = Field(description="its place in the session's history, from 1; it never changes")
    role: Literal["user", "assistant"]
    content: str
    turn_id: TurnId | None


class Variable(Answered):
    description: str
    required: bool
    default: str | None
    max_length: int | None = Field(description="in characters, where it has a limit of its own")


class Assistant(Answered):
    object: Literal["assistant"] = "assistant"
    name: Name
    description: str
    model: str
    lane: Lane = Field(description="of its turns where the caller names none")
    variables: Mapping[str, Variable]


Item = TypeVar("Item", bound=BaseModel)
Cursor = TypeVar("Cursor", str, int)


class Page(Answered, Generic[Item, Cursor]):
    """`after` is what the query parameter `after` of the next page must be; null on the last page."""

    object: Literal["list"] = "list"
    data: tuple[Item, ...]
    has_more: bool
    after: Cursor | None

    @classmethod
    def of(cls, items: Iterable[Item], after: Cursor | None) -> Self:
        return cls(data=tuple(items), has_more=after is not None, after=after)


class Problem(Answered):
    """RFC 9457. `code` is stable; `request_id` is what the log knows this request by."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str


class AcceptedItem(Answered):
    status: Literal[202] = 202
    turn: Turn


class RefusedItem(Answered):
    status: int
    problem: Problem


class Batch(Answered):
    """What became of each turn, in the order asked."""

    object: Literal["list"] = "list"
    data: tuple[AcceptedItem | RefusedItem, ...]


class Live(Answered):
    status: Literal["ok"] = "ok"


class Ready(Answered):
    status: Literal["ok", "unsafe"]
    durability: str
    replicas: int
    eviction_policy: str
    live_workers: int
    live_turns: int
    version: str


class ServiceStatus(Answered):
    """How the service does, in a few numbers."""

    paused: Mapping[Switch, Instant] = Field(description="what is paused, since when")
    live_turns: int
    waiting_turns: int = Field(description="turns that could run and wait for a worker")
    oldest_waiting_seconds: float
    live_workers: int
    failed_turns: int = Field(description="that nobody has dealt with")


class FailedTurn(Answered):
    """A failed turn as its operator sees it: whose it is, why it failed, and not what was said."""

    id: TurnId
    object: Literal["failed_turn"] = "failed_turn"
    tenant: str
    session_id: Name
    user_id: Name | None
    code: Code
    attempts: int
    model: str | None
    accepted_at: Instant
    failed_at: Instant


class StatusEvent(Answered):
    """`event: status`: the turn has another status, or another place. First on every connection, then without an id."""

    turn_id: TurnId
    attempt: int
    status: Status
    queue: Queue | None


class DeltaEvent(Answered):
    """`event: delta`: a piece of the answer."""

    turn_id: TurnId
    attempt: int
    text: str


class ResetEvent(Answered):
    """`event: reset`: the run has ended without effect and another will follow; drop the text so far."""

    turn_id: TurnId
    attempt: int
    reason: Literal[Event.RETRY, Event.RESCUE, Event.RELEASE] = Field(
        description="its attempt failed; its worker was lost; its worker had to end"
    )


class DoneEvent(Answered):
    """`event: done`: the turn has ended, and so does the stream. `turn` is null when its session was deleted."""

    turn_id: TurnId
    attempt: int
    turn: Turn | None
