"""Add up the entries that ended runs leave in the store, without I/O."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self

from turns.domain.state import TERMINAL

DAY_MS = 86_400_000
FIELDS = 12  # of an entry, as `append_usage.lua` writes it; the last one, the model, may contain the separator

# The sums of a row; the cost follows them. Entries have the same order after the first five.
OUTCOMES = ("completed", "failed", "cancelled", "incomplete", "repeated_runs")
TAKEN = ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "unreported_calls")
SUMS = (*OUTCOMES, *TAKEN)
REST = "*"  # the name of what does not fit into a hash any more


class Row(NamedTuple):
    """The name of a row: of a tenant or an escaped user, and of what its runs used."""

    name: str
    assistant: str
    currency: str
    model: str

    @classmethod
    def parse(cls, text: bytes) -> Self:
        return cls(*text.decode().split("|", 3))

    def __str__(self) -> str:
        return "|".join(self)

    @property
    def rest(self) -> "Row":
        return Row(REST, "", self.currency, "")


Sums = list[int]
Rows = dict[Row, Sums]


@dataclass(frozen=True, slots=True)
class EntrySums:
    """The sums of some entries: by user for each day and tenant, and by tenant for each day."""

    by_user: Mapping[tuple[int, str], Rows]
    by_tenant: Mapping[int, Rows]

    @property
    def tokens(self) -> Mapping[str, int]:
        """Input and output tokens by the counter of the metrics that has them."""
        counters: dict[str, int] = {}
        for rows in self.by_tenant.values():
            for row, sums in rows.items():
                for kind in ("input", "output"):
                    if number := sums[SUMS.index(f"{kind}_tokens")]:
                        field = f"tokens|{kind}|{row.model}"
                        counters[field] = counters.get(field, 0) + number
        return counters


def sum_entries(entries: Iterable[bytes]) -> EntrySums:
    """Add up entries; those that another program has written are ignored."""
    by_user: dict[tuple[int, str], Rows] = {}
    by_tenant: dict[int, Rows] = {}
    for entry in entries:
        try:
            at, outcome, assistant, owner, *taken, currency, model = entry.decode().split("|", FIELDS - 1)
            day, numbers = int(at) // DAY_MS, [int(number) for number in taken]
            tenant, user = owner.split("/")
        except ValueError:
            continue
        if len(numbers) != len(TAKEN) + 1:
            continue
        sums = by_user.setdefault((day, tenant), {}).setdefault(Row(user, assistant, currency, model), _zeros())
        sums[OUTCOMES.index(outcome) if outcome in TERMINAL else OUTCOMES.index("repeated_runs")] += 1
        for position, number in enumerate(numbers, len(OUTCOMES)):
            sums[position] += number
    for (day, tenant), rows in by_user.items():
        for row, sums in rows.items():
            _add(by_tenant.setdefault(day, {}), row._replace(name=tenant), sums)
    return EntrySums(by_user, by_tenant)


def merge(rows: Rows, stored: Mapping[Row, bytes], *, room: int) -> Rows:
    """Return rows with what is stored of them; new rows for which there is no room are added to one for the rest."""
    merged: Rows = {}
    for row, sums in rows.items():
        if row not in stored:
            room -= 1
        _add(merged, row if row in stored or room >= 0 else row.rest, sums)
    for row in list(merged):
        if row in stored:
            _add(merged, row, parse_sums(stored[row]))
    return merged


def parse_sums(value: bytes) -> Sums:
    return [int(number) for number in value.split(b"|")]


def format_sums(sums: Sums) -> str:
    return "|".join(map(str, sums))


def _zeros() -> Sums:
    return [0] * (len(SUMS) + 1)


def _add(rows: Rows, row: Row, sums: Sums) -> None:
    present = rows.get(row)
    rows[row] = [a + b for a, b in zip(present, sums, strict=True)] if present else list(sums)
