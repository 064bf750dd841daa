"""The feed of ended turns, as a page and as a stream."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, Field

from web.schemas import responses
from web.schemas.events.turn import DoneEvent
from web.schemas.response_model import ResponseModel


class EndedTurns(ResponseModel):
    """Turns in the order in which they ended."""

    object: Literal["list"] = "list"
    data: tuple[responses.Turn, ...] = Field(validation_alias="turns")
    has_more: bool = Field(description="ask again at once; the page may be short or empty nevertheless")
    has_gap: bool = Field(description="turns after the given cursor ended too long ago to be listed")
    after: int = Field(description="the value of the query parameter `after` for the next page")


class GapEvent(ResponseModel):
    """`event: gap`: turns after the given cursor ended too long ago to be listed."""


FEED_EVENTS: Mapping[str, type[BaseModel]] = MappingProxyType({"done": DoneEvent, "gap": GapEvent})
