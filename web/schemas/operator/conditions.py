"""Conditions on turns, in the queries and bodies of operators."""

from typing import Annotated

from pydantic import BaseModel, Field

from turns.domain.state import Status
from turns.domain.turn_filter import TurnFilter
from web.schemas.field_types import GivenInstant, Id, Name, text_rules
from web.schemas.queries import Tenant

MAX_MODEL_BYTES = 256


class Conditions(BaseModel):
    """Conditions on turns; all that are given must be met."""

    tenant: Tenant | None = None
    user_id: Id | None = None
    session_id: Id | None = None
    assistant: Name | None = None
    model: Annotated[str, *text_rules(min_bytes=1, max_bytes=MAX_MODEL_BYTES)] | None = None
    code: Annotated[str, Field(pattern=r"^[a-z_]{1,64}$", description="error code of a failed turn")] | None = None
    accepted_after: GivenInstant | None = None
    accepted_before: GivenInstant | None = None

    @property
    def has_any(self) -> bool:
        return any(getattr(self, name) is not None for name in Conditions.model_fields)

    def to_filter(self, status: str | None = None) -> TurnFilter:
        fields = {name: getattr(self, name) for name in Conditions.model_fields}
        return TurnFilter(**fields, statuses=None if status is None else frozenset({Status(status)}))
