"""The base of all models of responses, the types of their fields, and the pages of lists."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from turns.backend.partition.missing import missing_partitions
from turns.domain.error_codes import Code
from turns.domain.ids import NAME, TURN_ID
from web.schemas.field_types import ID_SCHEMA


def to_rfc3339(milliseconds: int) -> str:
    instant = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


Instant = Annotated[
    int,
    PlainSerializer(to_rfc3339),
    WithJsonSchema({"type": "string", "format": "date-time", "description": "RFC 3339, UTC, milliseconds"}),
]
TurnId = Annotated[str, WithJsonSchema({"type": "string", "pattern": f"^{TURN_ID.pattern}$"})]
Id = Annotated[str, WithJsonSchema(ID_SCHEMA)]
Name = Annotated[str, WithJsonSchema({"type": "string", "pattern": f"^{NAME.pattern}$"})]
# A newer release of the workers may know further codes.
ErrorCode = Annotated[Code | str, Field(description="a later release may add codes")]


class ResponseModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)


class Gathered(ResponseModel):
    """A response with data of all partitions of a Redis Cluster."""

    missing_partitions: tuple[int, ...] = Field(
        default_factory=missing_partitions,
        description="partitions of a Redis Cluster that are away; what they have is left out",
    )


Item = TypeVar("Item", bound=BaseModel)
PageCursor = TypeVar("PageCursor", str, int)


class Page(ResponseModel, Generic[Item, PageCursor]):
    """`after` is the value of the query parameter `after` for the next page; null on the last page."""

    object: Literal["list"] = "list"
    data: tuple[Item, ...]
    has_more: bool
    after: PageCursor | None

    @classmethod
    def of(cls, items: Iterable[Any], after: PageCursor | None) -> Self:
        return cls(data=tuple(items), has_more=after is not None, after=after)


class GatheredPage(Page[Item, PageCursor], Gathered, Generic[Item, PageCursor]):
    """A page of a list that is in all partitions. Its cursor stays valid when a partition returns."""
