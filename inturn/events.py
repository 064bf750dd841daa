"""Events of a turn or of a whole session that is being streamed."""

from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeAlias

from inturn.values import Json, Queue, Session, Status, TurnT


@dataclass(frozen=True, slots=True)
class TurnEvent:
    """An event of a turn. `id` is the position after which a later stream continues, also in another process.

    It is empty before the first stored event. Events are equal if their content is.
    """

    id: str = field(default="", compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class StatusChanged(TurnEvent):
    """The turn has a new status or a new position in its session's queue."""

    status: Status
    queue: Queue | None


@dataclass(frozen=True, slots=True)
class Delta(TurnEvent):
    """A piece of the answer. All deltas since the last `Reset`, joined, are the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Reasoning(TurnEvent):
    """A piece of the model's reasoning, if the assistant shows it."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCalled(TurnEvent):
    """A tool has started, or has ended. `arguments` and `result` are None unless the assistant shows them."""

    call_id: str
    name: str
    state: Literal["started", "finished", "failed"]
    arguments: str | None = None
    result: str | None = None


@dataclass(frozen=True, slots=True)
class DataSent(TurnEvent):
    """A value that a custom chain has sent. `name` is None for what a graph has written to its stream."""

    name: str | None
    data: Any


@dataclass(frozen=True, slots=True)
class Reset(TurnEvent):
    """The attempt ended without effect and another one follows: discard all that was received of it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Done(TurnEvent, Generic[TurnT]):
    """The turn has ended. This is the last event."""

    turn: TurnT


Event: TypeAlias = StatusChanged | Delta | Reasoning | ToolCalled | DataSent | Reset | Done[TurnT]


@dataclass(frozen=True, slots=True)
class Snapshot(Generic[TurnT]):
    """The session as it is now, with its live turns and the text so far of the first one.

    It is the first event. It comes again if what happened in between is not known any more (`is_gap`); then read the
    messages again.
    """

    session: Session
    turns: tuple[TurnT, ...]
    text: str
    is_gap: bool


@dataclass(frozen=True, slots=True)
class Accepted(Generic[TurnT]):
    """A new turn of the session."""

    turn: TurnT


@dataclass(frozen=True, slots=True)
class QueueChanged:
    """The live turns by id in the order in which they will run, each with what it waits for."""

    queue: dict[str, Queue | None]


@dataclass(frozen=True, slots=True)
class MessageDeleted:
    """The committed messages of the turn were deleted or replaced."""


@dataclass(frozen=True, slots=True)
class Updated:
    """The title, the labels or another field of the session was changed."""

    session: Session


@dataclass(frozen=True, slots=True)
class Erased:
    """The session was erased or has expired. This is the last event."""


SessionChange: TypeAlias = Snapshot[TurnT] | Accepted[TurnT] | QueueChanged | MessageDeleted | Updated | Erased


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEvent(Generic[TurnT]):
    """An event of a session, or of one of its turns.

    `id` is the position after which a later stream continues. `name` and `raw` are what the service has sent.
    """

    id: str
    turn_id: str | None
    event: Event[TurnT] | SessionChange[TurnT]
    name: str
    raw: Json
