"""Group the stored sums of usage, without I/O."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from turns.domain.ids import unescape_id
from turns.usage.entries import REST, SUMS, Row, parse_sums

NO_USER = "-"


class Dimension(StrEnum):
    """A property by which usage is grouped."""

    DAY = "day"
    TENANT = "tenant"
    USER = "user"
    ASSISTANT = "assistant"
    MODEL = "model"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageQuery:
    """The days, both included, the filters and the grouping of a report; None means any."""

    first_day: date
    last_day: date
    by: Sequence[Dimension] = ()
    tenant: str | None = None
    user_id: str | None = None
    assistant: str | None = None
    model: str | None = None

    @property
    def needs_users(self) -> bool:
        return self.user_id is not None or Dimension.USER in self.by


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Ended turns by outcome, and what their runs took.

    `repeated_runs` ended without their turn, which ran again. `unreported_calls` are calls of a model whose tokens
    were not reported. `costs` are billionths by currency; `unpriced_tokens` had no price when they were used.
    """

    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    incomplete: int = 0
    repeated_runs: int = 0
    unreported_calls: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    unpriced_tokens: int = 0
    costs: Mapping[str, int]

    @property
    def turns(self) -> int:
        return self.completed + self.failed + self.cancelled + self.incomplete


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRow(Totals):
    """The sums of one group. Properties by which the report is not grouped are None.

    So is the user of turns without one, and the model of turns that never ran. `is_rest`: the users, or tenants, that
    did not fit into the store; their assistants and models are not known.
    """

    day: date | None = None
    tenant: str | None = None
    user_id: str | None = None
    assistant: str | None = None
    model: str | None = None
    is_rest: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageReport:
    rows: tuple[UsageRow, ...]
    total: Totals


@dataclass(frozen=True, slots=True)
class StoredSums:
    """One hash of the store: a day's sums of all tenants, or of the users of one."""

    day: date
    tenant: str | None
    rows: Mapping[bytes, bytes]


class _Group:
    """The sums of a group while they are added up."""

    def __init__(self) -> None:
        self.sums = [0] * len(SUMS)
        self.unpriced_tokens = 0
        self.costs: dict[str, int] = {}

    def add(self, numbers: Sequence[int], currency: str) -> None:
        *counts, cost = numbers
        self.sums = [a + b for a, b in zip(self.sums, counts, strict=True)]
        if currency:
            self.costs[currency] = self.costs.get(currency, 0) + cost
        else:
            self.unpriced_tokens += counts[SUMS.index("input_tokens")] + counts[SUMS.index("output_tokens")]

    def values(self) -> dict[str, object]:
        return {
            **dict(zip(SUMS, self.sums, strict=True)),
            "unpriced_tokens": self.unpriced_tokens,
            "costs": dict(sorted(self.costs.items())),
        }


def build_report(query: UsageQuery, hashes: Iterable[StoredSums]) -> UsageReport:
    """Return the matching sums by group: by day, then the most expensive, then the largest first."""
    groups: dict[tuple[object, ...], _Group] = {}
    total = _Group()
    for stored in hashes:
        for row, value in stored.rows.items():
            parsed = Row.parse(row)
            labels = _labels(query, stored, parsed)
            if labels is None:
                continue
            numbers = parse_sums(value)
            groups.setdefault(labels, _Group()).add(numbers, parsed.currency)
            total.add(numbers, parsed.currency)
    rows = [_to_row(query, labels, group) for labels, group in groups.items()]
    return UsageReport(rows=tuple(sorted(rows, key=_rank)), total=Totals(**total.values()))  # type: ignore[arg-type]


def _labels(query: UsageQuery, stored: StoredSums, row: Row) -> tuple[object, ...] | None:
    """Return the group of a row: a value for each dimension, and whether it is the rest; None if it does not match."""
    is_rest = row.name == REST
    tenant, user = (row.name, NO_USER) if stored.tenant is None else (stored.tenant, row.name)
    values = {
        Dimension.DAY: stored.day,
        Dimension.TENANT: None if tenant == REST else tenant,
        Dimension.USER: None if user in {REST, NO_USER} else unescape_id(user),
        Dimension.ASSISTANT: row.assistant or None,
        Dimension.MODEL: row.model or None,
    }
    wanted = {
        Dimension.TENANT: query.tenant,
        Dimension.USER: query.user_id,
        Dimension.ASSISTANT: query.assistant,
        Dimension.MODEL: query.model,
    }
    if any(value is not None and value != values[dimension] for dimension, value in wanted.items()):
        return None
    return (*(values[dimension] for dimension in query.by), is_rest)


def _to_row(query: UsageQuery, labels: tuple[object, ...], group: _Group) -> UsageRow:
    names = [("user_id" if dimension is Dimension.USER else dimension.value) for dimension in query.by]
    return UsageRow(**dict(zip((*names, "is_rest"), labels, strict=True)), **group.values())  # type: ignore[arg-type]


def _rank(row: UsageRow) -> tuple[object, ...]:
    names = (row.tenant or "", row.user_id or "", row.assistant or "", row.model or "")
    return (row.day or date.min, -sum(row.costs.values()), -row.input_tokens - row.output_tokens, -row.turns, names)
