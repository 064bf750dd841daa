"""The sums of usage in the store: add new entries, read the sums of some days."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple, cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.script_replies import Reply
from turns.backend.usage_scripts import SumsToStore, UsageScripts
from turns.config.settings import Settings
from turns.domain.errors import InvalidRequest, StoreUnavailable
from turns.usage.entries import DAY_MS, REST, Row, Rows, format_sums, merge, sum_entries
from turns.usage.report import StoredSums, UsageQuery, UsageReport, build_report

FOLD_SECONDS = 5.0  # interval at which a worker adds new entries to the sums
FOLD_LIMIT = 500  # entries in one step, so that its script stores at most as many rows in each hash
FOLDS = "usage_folds"  # field of the service: number of such steps
MAX_ROWS = 10_000  # of one tenant on one day: 1.5 MB
MAX_READ_ROWS = 300_000  # which take the web process a second or two
SET_ASIDE_SECONDS = 7 * 86_400
EPOCH = date(1970, 1, 1)


class Hash(NamedTuple):
    """The sums of one hash of the store that are to be added."""

    name: str
    day: int
    rows: Rows

    @property
    def fields(self) -> list[Row]:
        """The rows to read: those with new sums, and those that may have to take them."""
        return list(dict.fromkeys((*self.rows, *(row.rest for row in self.rows))))


class UsageStore:
    """Every method raises `StoreUnavailable`."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._scripts = UsageScripts(client, settings)
        self._kept_ms = (1 + settings.usage_days) * DAY_MS

    def fold(self) -> None:
        """Add all new entries to the sums of their days, each once."""
        while self._fold_some():
            pass

    def try_to_fold(self) -> None:
        """Add new entries to the sums, unless the store refuses writes; then the last ones are missing for a while."""
        try:
            self.fold()
        except StoreUnavailable as error:
            if not error.refused:
                raise

    def read(self, query: UsageQuery) -> UsageReport:
        """Return the sums by group, up to the last ended turn. Raises `InvalidRequest` if there are too many."""
        self.try_to_fold()
        days = list(_days(query.first_day, query.last_day))
        totals = [(day, None, keys.USAGE(_number(day))) for day in days]
        if not query.needs_users:
            return build_report(query, self._read(totals))
        tenants = [query.tenant] if query.tenant else self._list_tenants(totals)
        users = [(day, name, keys.USER_USAGE(f"{name}:{_number(day)}")) for day in days for name in tenants]
        return build_report(query, self._read(users))

    def _fold_some(self) -> bool:
        """Add the oldest entries to the sums; return whether there may be more."""
        # In this order, so that the script notices a fold of another process in between.
        folds, entries = self._client.execute_many(
            [("HGET", keys.SERVICE.name, FOLDS), ("LRANGE", keys.USAGE_ENTRIES.name, 0, FOLD_LIMIT - 1)]
        )
        if not entries:
            return False
        sums = sum_entries(entries)
        hashes = [Hash(keys.USAGE(str(day)), day, rows) for day, rows in sums.by_tenant.items()]
        hashes += [Hash(keys.USER_USAGE(f"{tenant}:{day}"), day, rows) for (day, tenant), rows in sums.by_user.items()]
        self._set_foreign_keys_aside([one.name for one in hashes])
        outcome = self._scripts.fold_usage(
            (folds or b"0").decode(), len(entries), counters=sums.tokens, hashes=self._merge(hashes)
        )
        return outcome is Reply.LOST or len(entries) == FOLD_LIMIT

    def _merge(self, hashes: Sequence[Hash]) -> list[SumsToStore]:
        """Return the new content of these rows."""
        replies = self._client.execute_many(
            [command for one in hashes for command in (("HLEN", one.name), ("HMGET", one.name, *map(str, one.fields)))]
        )
        merged = []
        for one, length, values in zip(hashes, replies[::2], replies[1::2], strict=True):
            stored = {row: value for row, value in zip(one.fields, values, strict=True) if value is not None}
            rows = merge(one.rows, stored, room=MAX_ROWS - length)
            texts = {str(row): format_sums(sums) for row, sums in rows.items()}
            merged.append(SumsToStore(one.name, one.day * DAY_MS + self._kept_ms, texts))
        return merged

    def _set_foreign_keys_aside(self, names: Sequence[str]) -> None:
        """Rename keys that another program has replaced by another type, as the repair does with fixed names."""
        types = self._client.execute_many([("TYPE", name) for name in names])
        for name, found in zip(names, types, strict=True):
            if found not in {b"hash", b"none"}:
                aside = keys.SET_ASIDE(name)
                self._client.execute_many([("RENAME", name, aside), ("EXPIRE", aside, SET_ASIDE_SECONDS)])

    def _list_tenants(self, totals: Sequence[tuple[date, str | None, str]]) -> list[str]:
        names = {Row.parse(row).name for stored in self._read(totals) for row in stored.rows}
        return sorted(names - {REST})

    def _read(self, hashes: Sequence[tuple[date, str | None, str]]) -> Iterator[StoredSums]:
        """Yield these hashes one after another, so that none keeps Redis from other commands for long."""
        lengths = self._client.execute_many([("HLEN", name) for _, _, name in hashes])
        if sum(lengths) > MAX_READ_ROWS:
            raise InvalidRequest("from", f"has more than {MAX_READ_ROWS} rows to read; ask for fewer days")
        for (day, tenant, name), length in zip(hashes, lengths, strict=True):
            if length:
                yield StoredSums(day, tenant, cast(dict[bytes, bytes], self._client.hgetall(name)))


def _days(first: date, last: date) -> Iterator[date]:
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)


def _number(day: date) -> str:
    """Return the name of a day in keys: its number since the epoch."""
    return str((day - EPOCH).days)
