"""The route of the audit log."""

from flask import Blueprint, Response

from turns.access.audit_log import AuditLog, Outcome
from web.http.responses import reply
from web.openapi.operation import Operation, ResponseSpec
from web.schemas.operator import access as schema
from web.schemas.response_model import Page


def build_operator_audit(audit_log: AuditLog) -> Blueprint:
    api = Blueprint("operator_audit", __name__)

    @Operation(
        id="list_audit",
        method="get",
        path="/operator/audit",
        summary="List what operators did, or what was refused to callers, newest first",
        query=schema.AuditQuery,
        responses={
            200: ResponseSpec("A page, which may be short or empty and not the last", Page[schema.AuditEntry, str])
        },
    ).on(api)
    def list_audit(query: schema.AuditQuery) -> Response:
        page = audit_log.read(query.to_filter(), outcome=Outcome(query.outcome), after=query.after, limit=query.limit)
        return reply(Page[schema.AuditEntry, str].of(page.entries, page.after))

    return api
