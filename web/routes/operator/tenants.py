"""The routes with which operators see the tenants and set their limits."""

from collections.abc import Mapping
from datetime import UTC, datetime

from flask import Blueprint, Response, g

from turns.domain.errors import InvalidRequest
from turns.domain.ids import DEFAULT_TENANT, NAME_RULE, is_name
from turns.pauses.part import PauseKind
from turns.pauses.pause import Pause
from turns.pauses.pauses import Pauses
from turns.tenants.tenants import Tenant, Tenants
from turns.usage.report import Dimension, UsageQuery
from turns.usage.store import UsageStore
from web.http.responses import read_json_body, reply
from web.http.validation import parse_body
from web.openapi.operation import Operation, ResponseSpec
from web.schemas.operator import tenants as schema
from web.schemas.operator.pauses import Pause as PauseSchema
from web.schemas.queries import CancelQuery
from web.security.audit import audit

MAX_BODY_BYTES = 4096


def build_operator_tenants(tenants: Tenants, pauses: Pauses, usage: UsageStore) -> Blueprint:
    api = Blueprint("operator_tenants", __name__)

    def show(tenant: str) -> Response:
        return reply(_to_schema(tenants.get_tenant(tenant), _read_pauses(pauses), _read_tokens(usage)))

    @Operation(
        id="list_tenants",
        method="get",
        path="/operator/tenants",
        summary="List the tenants with live turns, own limits, or turns accepted within a day",
        query=schema.TenantsQuery,
        responses={200: ResponseSpec("Their activity and their limits", schema.TenantList)},
    ).on(api)
    def list_tenants(query: schema.TenantsQuery) -> Response:
        found = tenants.list_tenants()
        listed = sorted(found.tenants, key=_wait_key) if query.sort == "waiting" else found.tenants
        paused, tokens = _read_pauses(pauses), _read_tokens(usage)
        data = tuple(_to_schema(tenant, paused, tokens) for tenant in listed[: query.limit])
        return reply(schema.TenantList(data=data, found=len(listed), are_all=found.is_complete))

    @Operation(
        id="get_tenant",
        method="get",
        path="/operator/tenants/{tenant}",
        summary="Get what a tenant does, and its limits",
        responses={200: ResponseSpec("The tenant, also if it has done nothing so far", schema.Tenant)},
    ).on(api)
    def get_tenant(tenant: str) -> Response:
        return show(_check_name(tenant))

    @Operation(
        id="set_tenant_limits",
        method="put",
        path="/operator/tenants/{tenant}",
        summary="Give a tenant own limits, in place of those it had; running turns finish",
        body=schema.LimitsBody,
        responses={200: ResponseSpec("The tenant after the change", schema.Tenant)},
    ).on(api)
    def set_tenant_limits(tenant: str) -> Response:
        name = _check_name(tenant)
        body = parse_body(schema.LimitsBody, read_json_body(max_bytes=MAX_BODY_BYTES))
        limits = body.to_limits(set_by=g.caller.key_id)
        tenants.set_limits(name, limits)
        audit("set_limits", name, tenant=name, **body.model_dump(exclude_none=True))
        return show(name)

    @Operation(
        id="remove_tenant_limits",
        method="delete",
        path="/operator/tenants/{tenant}",
        summary="Let the default limits apply to a tenant again",
        query=CancelQuery,
        responses={200: ResponseSpec("The tenant after the change", schema.Tenant)},
    ).on(api)
    def remove_tenant_limits(tenant: str, query: CancelQuery) -> Response:
        name = _check_name(tenant)
        tenants.remove_limits(name)
        audit("remove_limits", name, tenant=name, reason=query.reason)
        return show(name)

    return api


def _check_name(tenant: str) -> str:
    if not (is_name(tenant) or tenant == DEFAULT_TENANT):
        raise InvalidRequest("tenant", NAME_RULE)
    return tenant


def _wait_key(tenant: Tenant) -> float:
    return tenant.activity.waiting_since or float("inf")


def _read_pauses(pauses: Pauses) -> Mapping[str, Pause]:
    """Return the pauses of tenants by name."""
    return {pause.name: pause for pause in pauses.read() if pause.kind == PauseKind.TENANT}


def _read_tokens(usage: UsageStore) -> Mapping[str, int]:
    """Return the tokens of this UTC day by tenant."""
    today = datetime.now(UTC).date()
    report = usage.read(UsageQuery(first_day=today, last_day=today, by=(Dimension.TENANT,)))
    return {row.tenant: row.input_tokens + row.output_tokens for row in report.rows if row.tenant}


def _to_schema(tenant: Tenant, pauses: Mapping[str, Pause], tokens: Mapping[str, int]) -> schema.Tenant:
    activity, pause = tenant.activity, pauses.get(tenant.name)
    return schema.Tenant(
        tenant=tenant.name,
        live_turns=activity.live_turns,
        running_turns=activity.running_turns,
        waiting_turns=activity.waiting_turns,
        waiting_since=activity.waiting_since,
        accepted_per_minute=activity.accepted_per_minute,
        failed_turns=activity.failed_turns,
        tokens_today=tokens.get(tenant.name, 0),
        counted_tokens=activity.counted_tokens,
        pause=pause and PauseSchema.model_validate(pause),
        limits=schema.Limits.model_validate(tenant.limits),
        own_limits=tenant.own and schema.Own.model_validate(tenant.own),
    )
