"""The events of a turn; those of its output besides the text are in `output.py`."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, Field

from turns.domain.state import Event, Status
from web.schemas.events import output
from web.schemas.response_model import ResponseModel, TurnId
from web.schemas.responses import Queue, Turn


class StatusEvent(ResponseModel):
    """`event: status`: the status or the position of the turn has changed.

    It is the first event of every connection, then without an id.
    """

    turn_id: TurnId
    attempt: int
    status: Status
    queue: Queue | None


class DeltaEvent(ResponseModel):
    """`event: delta`: the next piece of the answer."""

    turn_id: TurnId
    attempt: int
    text: str


class ResetEvent(ResponseModel):
    """`event: reset`: the run ended without effect and another one will follow. Discard the text received."""

    turn_id: TurnId
    attempt: int
    reason: Literal[Event.RETRY, Event.RESCUE, Event.RELEASE] = Field(
        description="its attempt failed; its worker was lost; its worker had to end"
    )


class DoneEvent(ResponseModel):
    """`event: done`: the turn has ended, and the stream ends. `turn` is null if its session was deleted."""

    turn_id: TurnId
    attempt: int
    turn: Turn | None


TURN_EVENTS: Mapping[str, type[BaseModel]] = MappingProxyType(
    {
        "status": StatusEvent,
        "delta": DeltaEvent,
        "reasoning": output.ReasoningEvent,
        "tool": output.ToolEvent,
        "data": output.DataEvent,
        "reset": ResetEvent,
        "done": DoneEvent,
    }
)
