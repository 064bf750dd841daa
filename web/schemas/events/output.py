"""The events of a run beside the text of its answer, as readers of a stream receive them."""

import json
from typing import Any

from pydantic import Field

from turns.domain.events import EventType, ToolState, TurnEvent
from web.schemas.response_model import ResponseModel, TurnId


class ReasoningEvent(ResponseModel):
    """`event: reasoning`: the next piece of the model's reasoning, if the assistant shows it."""

    turn_id: TurnId
    attempt: int
    text: str


class ToolEvent(ResponseModel):
    """`event: tool`: a tool has started, or has ended."""

    turn_id: TurnId
    attempt: int
    call_id: str = Field(description="the same in both events of one call")
    name: str
    state: ToolState
    arguments: str | None = Field(None, description="its beginning, when the tool starts, if the assistant shows it")
    result: str | None = Field(None, description="its beginning, or the error, if the assistant shows it")


class DataEvent(ResponseModel):
    """`event: data`: what a custom chain has sent itself."""

    turn_id: TurnId
    attempt: int
    name: str | None = Field(description="null for what a graph has written to its stream")
    data: Any


def to_output_event(turn_id: str, event: TurnEvent) -> ReasoningEvent | ToolEvent | DataEvent:
    """Return the event for readers. Fields that a worker of a later release has added are left out."""
    if event.type is EventType.REASONING:
        return ReasoningEvent(turn_id=turn_id, attempt=event.attempt, text=event.text)
    model = ToolEvent if event.type is EventType.TOOL else DataEvent
    stored = {**json.loads(event.text), "turn_id": turn_id, "attempt": event.attempt}
    return model.model_validate({name: stored[name] for name in model.model_fields if name in stored})
