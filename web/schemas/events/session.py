"""The events that only the stream of a session has, besides those of its turns."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, Field

from turns.domain.state import Status
from web.schemas import responses
from web.schemas.events.turn import TURN_EVENTS
from web.schemas.output_parts import OutputParts
from web.schemas.response_model import Id, ResponseModel, TurnId


class SnapshotEvent(ResponseModel):
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


class AcceptedEvent(ResponseModel):
    """`event: accepted`: a new turn, with its question."""

    turn_id: TurnId
    turn: responses.Turn


class QueuedTurn(ResponseModel):
    turn_id: TurnId = Field(validation_alias="id")
    status: Status
    queue: responses.Queue | None = Field(validation_alias="waiting")


class QueueEvent(ResponseModel):
    """`event: queue`: the live turns in the order in which they will run, after positions have changed."""

    turns: tuple[QueuedTurn, ...]


class MessageDeletedEvent(ResponseModel):
    """`event: message.deleted`: the committed messages of a turn were deleted or replaced."""

    turn_id: TurnId


class UpdatedEvent(ResponseModel):
    """`event: updated`: the title, the labels or another field of the session was changed."""

    session: responses.Session


class ErasedEvent(ResponseModel):
    """`event: erased`: the session was erased or has expired, and the stream ends."""

    session_id: Id


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
