"""The data of server-sent events: those of a turn, and those that only the stream of a session has besides."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, Field

from turns.domain.state import Status
from web.schemas import output_events, responses
from web.schemas.output_parts import OutputParts


class SnapshotEvent(responses.ResponseModel):
    """`event: snapshot`: the session as it is now. It is the first event of a stream that begins without an id.

    The events of a session have ids that are valid in any web process, and `turn_id` in their data. A stream that
    continues after an id has no snapshot, unless what follows that id is not known completely any more.
    """

    reason: Literal["opened", "events_gone"] = Field(
        description="`events_gone`: events after the given id are no longer kept, so read the messages again"
    )
    session: responses.Session
    turns: tuple[responses.Turn, ...] = Field(description="the live turns, in the order in which they will run")
    text: str = Field(description="the text so far of the first live turn")
    parts: OutputParts = Field(
        None, exclude_if=lambda parts: parts is None, description="its parts so far, if it has more than text"
    )


class AcceptedEvent(responses.ResponseModel):
    """`event: accepted`: a new turn, with its question."""

    turn_id: responses.TurnId
    turn: responses.Turn


class QueuedTurn(responses.ResponseModel):
    turn_id: responses.TurnId = Field(validation_alias="id")
    status: Status
    queue: responses.Queue | None = Field(validation_alias="waiting")


class QueueEvent(responses.ResponseModel):
    """`event: queue`: the live turns in the order in which they will run, after positions have changed."""

    turns: tuple[QueuedTurn, ...]


class MessageDeletedEvent(responses.ResponseModel):
    """`event: message.deleted`: the committed messages of a turn were deleted or replaced."""

    turn_id: responses.TurnId


class UpdatedEvent(responses.ResponseModel):
    """`event: updated`: the title, the labels or another field of the session was changed."""

    session: responses.Session


class ErasedEvent(responses.ResponseModel):
    """`event: erased`: the session was erased or has expired, and the stream ends."""

    session_id: responses.Id


class EndedTurns(responses.ResponseModel):
    """Turns in the order in which they ended."""

    object: Literal["list"] = "list"
    data: tuple[responses.Turn, ...] = Field(validation_alias="turns")
    has_more: bool = Field(description="ask again at once; the page may be short or empty nevertheless")
    has_gap: bool = Field(description="turns after the given cursor ended too long ago to be listed")
    after: int = Field(description="the value of the query parameter `after` for the next page")


class GapEvent(responses.ResponseModel):
    """`event: gap`: turns after the given cursor ended too long ago to be listed."""


TURN_EVENTS: Mapping[str, type[BaseModel]] = MappingProxyType(
    {
        "status": responses.StatusEvent,
        "delta": responses.DeltaEvent,
        "reasoning": output_events.ReasoningEvent,
        "tool": output_events.ToolEvent,
        "data": output_events.DataEvent,
        "reset": responses.ResetEvent,
        "done": responses.DoneEvent,
    }
)
SESSION_EVENTS: Mapping[str, type[BaseModel]] = MappingProxyType(
    {
        "snapshot": SnapshotEvent,
        "accepted": AcceptedEvent,
        **TURN_EVENTS,
        "queue": QueueEvent,
        "message.deleted": MessageDeletedEvent,
        "updated": UpdatedEvent,
        "erased": ErasedEvent,
    }
)
FEED_EVENTS: Mapping[str, type[BaseModel]] = MappingProxyType({"done": responses.DoneEvent, "gap": GapEvent})
