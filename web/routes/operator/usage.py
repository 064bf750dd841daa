"""The route for the tokens and cost of all tenants."""

from flask import Blueprint, Response

from turns.usage.store import UsageStore
from web.openapi.operation import Operation
from web.routes.usage import REPORT, reply_usage
from web.schemas.usage import UsageQuery


def build_operator_usage(usage: UsageStore) -> Blueprint:
    api = Blueprint("operator_usage", __name__)

    @Operation(
        id="operator_usage",
        method="get",
        path="/operator/usage",
        summary="Get the tokens and cost of all tenants, by tenant, user, assistant, model or day",
        query=UsageQuery,
        responses={200: REPORT},
    ).on(api)
    def operator_usage(query: UsageQuery) -> Response:
        return reply_usage(usage, query, tenant=query.tenant)

    return api
