"""The queries and responses of the audit log."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from turns.access.audit_log import AuditFilter
from web.schemas.field_types import GivenInstant
from web.schemas.queries import Limit, Query, Tenant
from web.schemas.response_model import Instant, ResponseModel

ENTRY_ID = r"^[0-9]{1,16}-[0-9]{1,16}$"


class AuditQuery(Query):
    outcome: Annotated[Literal["done", "refused"], Field(description="what was done, or what was refused")] = "done"
    key_id: Annotated[str, Field(max_length=64)] | None = None
    tenant: Annotated[Tenant | None, Field(description="the tenant of the caller, or of what it acted on")] = None
    action: Annotated[str, Field(max_length=64)] | None = None
    what: (
        Annotated[str, Field(max_length=1024, description="part of what was acted on, such as a turn's id")] | None
    ) = None
    since: GivenInstant | None = None
    until: GivenInstant | None = None
    after: Annotated[str, Field(pattern=ENTRY_ID)] | None = None
    limit: Limit = 20

    def to_filter(self) -> AuditFilter:
        return AuditFilter(
            key_id=self.key_id,
            tenant=self.tenant,
            action=self.action,
            what=self.what,
            since=self.since,
            until=self.until,
        )


class AuditEntry(ResponseModel):
    """An act of a caller, or a request that was refused to it. Contains no message text."""

    id: str
    object: Literal["audit_entry"] = "audit_entry"
    at: Instant
    action: str
    what: str = Field(description="the object of the action: an id or a name; for refused requests, method and path")
    key_id: str | None = Field(description="the caller's API key; for a wrong key, the id that it claims")
    tenant: str | None = Field(description="the tenant of that key")
    target_tenant: str | None = Field(description="the tenant that `what` belongs to")
    request_id: str | None
    reason: str
    details: Mapping[str, int | str] = Field(description="such as `count`")
