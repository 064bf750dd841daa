"""The request and the responses about pauses by operators."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from turns.pauses.part import PauseKind
from web.schemas.response_model import Gathered, Instant, ResponseModel

MAX_REASON_CHARACTERS = 200
MAX_PAUSE_SECONDS = 365 * 86_400


class PauseBody(BaseModel):
    """The body of `PUT /operator/pauses/…`; it replaces reason and end of an existing pause."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"reason": "Provider maintenance", "for_seconds": 1800}]},
    )

    reason: Annotated[
        str,
        Field(max_length=MAX_REASON_CHARACTERS, description="shown to operators, never to callers"),
    ] = ""
    for_seconds: Annotated[
        float | None,
        Field(gt=0, le=MAX_PAUSE_SECONDS, description="then it ends by itself; without it, when it is resumed"),
    ] = None


class Pause(ResponseModel):
    """A part of the service that an operator has paused."""

    object: Literal["pause"] = "pause"
    kind: PauseKind
    name: str = Field(description="empty for `intake` and `workers`")
    reason: str
    by: str = Field(description="id of the operator's API key; empty without keys")
    since: Instant
    until: Instant | None
    is_over: bool = Field(description="it has ended, and the turns that waited start one after another")
    waiting_turns: int


class PauseList(Gathered):
    object: Literal["list"] = "list"
    data: tuple[Pause, ...] = Field(description="oldest first")
