"""The queries and responses about tokens and cost."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from turns.domain.run.spending import format_nano
from turns.usage.report import Dimension
from web.schemas.field_types import Id, Name
from web.schemas.queries import Query, Tenant
from web.schemas.response_model import Gathered, ResponseModel

MAX_ROWS = 10_000
MAX_DAYS = 400  # at least as many as are kept
DIMENSIONS = "|".join(Dimension)
OWN_DIMENSIONS = "|".join(dimension for dimension in Dimension if dimension is not Dimension.TENANT)


def _check_day(text: str) -> str:
    date.fromisoformat(text)  # its message names what is wrong, such as the day of the month
    return text


Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_check_day)]


class OwnUsageQuery(Query):
    since: Day | None = Field(None, description="first UTC day; default: six days before `until`")
    until: Day | None = Field(None, description="last UTC day, included; default: today")
    by: Annotated[
        str,
        Field(
            pattern=rf"^(({OWN_DIMENSIONS})(,({OWN_DIMENSIONS}))*)?$",
            description="properties by which to group, joined by commas: `day`, `user`, `assistant`, `model`",
        ),
    ] = ""
    user_id: Id | None = None
    assistant: Name | None = None
    model: Annotated[str, Field(min_length=1, max_length=512)] | None = None
    format: Literal["json", "csv"] | None = Field(None, description="default: what the header `Accept` prefers")
    limit: Annotated[int, Field(ge=1, le=MAX_ROWS)] = 1000


class UsageQuery(OwnUsageQuery):
    by: Annotated[
        str,
        Field(
            pattern=rf"^(({DIMENSIONS})(,({DIMENSIONS}))*)?$",
            description="properties by which to group, joined by commas: `day`, `tenant`, `user`, `assistant`, `model`",
        ),
    ] = ""
    tenant: Tenant | None = None


Costs = Annotated[
    Mapping[str, str],
    BeforeValidator(lambda costs: {currency: format_nano(amount) for currency, amount in costs.items()}),
]


class UsageSums(ResponseModel):
    """Ended turns by outcome, and what their runs took."""

    turns: int
    completed: int
    failed: int
    cancelled: int
    incomplete: int
    repeated_runs: int = Field(description="runs that ended without their turn, which then ran again")
    unreported_calls: int = Field(
        description="calls of a model that may have cost something and whose tokens the provider has not reported"
    )
    input_tokens: int
    cached_tokens: int = Field(description="part of the input tokens")
    output_tokens: int
    reasoning_tokens: int = Field(description="part of the output tokens")
    unpriced_tokens: int = Field(description="input and output tokens that had no price when they were used")
    cost: Costs = Field(validation_alias="costs", description="decimal amounts by currency")


class UsageRow(UsageSums):
    """The sums of one group. A property by which the report is not grouped is null."""

    day: date | None
    tenant: str | None
    user_id: Id | None = Field(description="null: turns without a user")
    assistant: Name | None
    model: str | None = Field(description="null: turns that never ran")
    is_rest: bool = Field(description="users or tenants beyond the number that the store keeps for a day, in one row")


class UsageReport(Gathered):
    object: Literal["usage"] = "usage"
    since: date
    until: date
    by: tuple[Dimension, ...]
    data: tuple[UsageRow, ...] = Field(description="by day, then the most expensive first")
    has_more: bool = Field(description="there are more rows than `limit`")
    total: UsageSums = Field(description="of all rows, also of those beyond `limit`")
