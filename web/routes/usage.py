"""The routes for tokens and cost, and the two forms of a report: JSON and CSV."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

from flask import Blueprint, Response, g, request

from turns.backend.partition.missing import need_all_partitions
from turns.domain.errors import InvalidRequest
from turns.domain.run.spending import format_nano
from turns.usage.report import Dimension, UsageQuery, UsageReport
from turns.usage.store import UsageStore
from web.http.responses import CSV, JSON, reply
from web.http.threads import run_in_thread
from web.openapi.operation import Operation, ResponseSpec
from web.schemas import usage as schema

DEFAULT_DAYS = 7
# Some spreadsheets split at `;`, in spite of the quotes.
FORMULA_START = re.compile(r"(^|;)(?=[=+\-@\t\r])")
REPORT = ResponseSpec("The sums by group, also as CSV", schema.UsageReport, other_kinds=(CSV,))


def build_usage(usage: UsageStore) -> Blueprint:
    api = Blueprint("usage", __name__)

    @Operation(
        id="usage",
        method="get",
        path="/v1/usage",
        summary="Get the tokens and cost of the tenant's turns",
        query=schema.OwnUsageQuery,
        responses={200: REPORT},
    ).on(api)
    def own_usage(query: schema.OwnUsageQuery) -> Response:
        return reply_usage(usage, query, tenant=g.caller.tenant)

    return api


def reply_usage(usage: UsageStore, query: schema.OwnUsageQuery, *, tenant: str | None) -> Response:
    """Reply with the report for this query, in the form that the caller prefers."""
    asked = _to_query(query, tenant)
    prefers_csv = request.accept_mimetypes.best_match([JSON, CSV]) == CSV
    if query.format == "csv" or (query.format is None and prefers_csv):
        with need_all_partitions():  # a file cannot name what is missing
            report = usage.read(asked)
        return _reply_csv(asked, report)
    report = usage.read(asked)
    answer = schema.UsageReport(
        since=asked.first_day,
        until=asked.last_day,
        by=tuple(asked.by),
        data=tuple(schema.UsageRow.model_validate(row) for row in report.rows[: query.limit]),
        has_more=len(report.rows) > query.limit,
        total=schema.UsageSums.model_validate(report.total),
    )
    return reply(answer)


def _to_query(query: schema.OwnUsageQuery, tenant: str | None) -> UsageQuery:
    last = date.fromisoformat(query.until) if query.until else datetime.now(UTC).date()
    first = date.fromisoformat(query.since) if query.since else max(last, _WEEK_AFTER_MIN) - _WEEK
    if first > last:
        raise InvalidRequest("since", "must not be after until")
    if (last - first).days >= schema.MAX_DAYS:
        raise InvalidRequest("since", f"must be less than {schema.MAX_DAYS} days before until")
    return UsageQuery(
        first_day=first,
        last_day=last,
        by=[Dimension(name) for name in dict.fromkeys(query.by.split(",")) if name],
        tenant=tenant,
        user_id=query.user_id,
        assistant=query.assistant,
        model=query.model,
    )


_WEEK = timedelta(days=DEFAULT_DAYS - 1)
_WEEK_AFTER_MIN = date.min + _WEEK


def _reply_csv(query: UsageQuery, report: UsageReport) -> Response:
    """Reply with all rows, in a form that a spreadsheet does not take for formulas."""
    text = run_in_thread(lambda: _to_csv(query, report))
    response = Response(text, content_type=f"{CSV}; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="usage_{query.first_day}_{query.last_day}.csv"'
    return response


def _to_csv(query: UsageQuery, report: UsageReport) -> str:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerows([_safe(cell) for cell in line] for line in _lines(query, report))
    return text.getvalue()


def _lines(query: UsageQuery, report: UsageReport) -> Iterator[Sequence[object]]:
    """Yield the header and a line for each row; the cost has a column for each currency."""
    names = ["user_id" if dimension is Dimension.USER else dimension.value for dimension in query.by]
    sums = [name for name in schema.UsageSums.model_fields if name != "cost"]
    currencies = list(report.total.costs)
    yield [*names, "is_rest", *sums, *(f"cost_{currency}" for currency in currencies)]
    for row in report.rows:
        yield [
            *(getattr(row, name) for name in names),
            str(row.is_rest).lower(),
            *(getattr(row, name) for name in sums),
            *(format_nano(row.costs[currency]) if currency in row.costs else "" for currency in currencies),
        ]


def _safe(cell: object) -> object:
    return FORMULA_START.sub(r"\1'", cell) if isinstance(cell, str) else cell
