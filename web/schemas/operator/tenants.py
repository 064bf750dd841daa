"""The tenants as operators see them, and the limits that they set for one."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from turns.config.settings import MAX_VALUE
from turns.tenants import tenants
from turns.tenants.activity import RECENT_SECONDS
from turns.tenants.limits import LIMITS, OwnLimits
from web.schemas.field_types import GivenInstant, text_rules
from web.schemas.operator.pauses import Pause
from web.schemas.queries import Query
from web.schemas.response_model import Gathered, Instant, ResponseModel

MAX_REASON_BYTES = 200
MAX_TURNS_PER_MINUTE = 1_000_000  # as in the settings
RECENT = f"in the last {RECENT_SECONDS // 60} minutes"


class LimitsBody(BaseModel):
    """The body of `PUT /operator/tenants/{tenant}`. A limit that is missing or null is the default one."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"concurrency": 5, "turns_per_minute": 60, "reason": "nightly import"}]},
    )

    concurrency: Annotated[int, Field(ge=0, le=MAX_VALUE)] | None = Field(None, description="0 is unlimited")
    backlog: Annotated[int, Field(ge=1, le=MAX_VALUE)] | None = None
    turns_per_minute: Annotated[int, Field(ge=0, le=MAX_TURNS_PER_MINUTE)] | None = Field(
        None, description="0 is unlimited"
    )
    tokens_per_day: Annotated[int, Field(ge=0, le=MAX_VALUE)] | None = Field(None, description="0 is unlimited")
    until: GivenInstant | None = Field(None, description="after this time the default limits apply again")
    reason: Annotated[str, *text_rules(max_bytes=MAX_REASON_BYTES)] = ""

    @model_validator(mode="after")
    def _has_a_limit(self) -> "LimitsBody":
        if all(getattr(self, name) is None for name in LIMITS):
            raise PydanticCustomError("rule", f"must have at least one of {', '.join(LIMITS)}")
        return self

    def to_limits(self, *, set_by: str | None) -> OwnLimits:
        return OwnLimits(**self.model_dump(), set_by=set_by)


class TenantsQuery(Query):
    sort: Literal["live", "waiting"] = Field("live", description="most live turns first, or longest wait first")
    limit: Annotated[int, Field(ge=1, le=tenants.MAX_TENANTS)] = 100


class Limits(ResponseModel):
    """The limits that apply. 0 is unlimited."""

    concurrency: int
    backlog: int
    turns_per_minute: int
    tokens_per_day: int


class Own(ResponseModel):
    """The limits that an operator has set. Null is the default one."""

    concurrency: int | None
    backlog: int | None
    turns_per_minute: int | None
    tokens_per_day: int | None
    until: Instant | None
    reason: str
    set_by: str | None = Field(description="id of an API key; null on a service without keys")
    set_at: Instant


class Tenant(ResponseModel):
    object: Literal["tenant"] = "tenant"
    tenant: str
    live_turns: int
    running_turns: int
    waiting_turns: int = Field(description="live turns that do not run")
    waiting_since: Instant | None = Field(description="since when the first turn of a session has waited for its run")
    accepted_per_minute: float = Field(description=f"mean, {RECENT}")
    failed_turns: int = Field(description=f"{RECENT}, unless they were retried or discarded")
    tokens_today: int = Field(description="input and output of runs that ended on this UTC day")
    counted_tokens: int | None = Field(description="used or reserved on this UTC day; null without a limit of them")
    pause: Pause | None = Field(description="while an operator has paused it")
    limits: Limits
    own_limits: Own | None


class TenantList(Gathered):
    object: Literal["list"] = "list"
    data: tuple[Tenant, ...]
    found: int = Field(description="tenants with live turns, own limits, or turns accepted within a day")
    are_all: bool = Field(description="false: there are more tenants or live sessions than one call reads")
