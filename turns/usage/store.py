"""The sums of usage in the store: add new entries, read the sums of some days."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import NamedTuple, cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.offload import Offload, run_inline
from turns.backend.partition.each import call_each
from turns.backend.script_replies import Reply
from turns.config.settings import Settings
from turns.domain.errors import InvalidRequest, StoreUnavailable
from turns.domain.ids import escape_id
from turns.usage.entries import DAY_MS, REST, Row, Rows, format_sums, merge, sum_entries
from turns.usage.report import StoredSums, UsageQuery, UsageReport, build_report
from turns.usage.scripts import SumsToStore, UsageScripts

FOLD_SECONDS = 5.0  # interval at which a worker adds new entries to the sums
FOLD_LIMIT = 500  # entries in one step, so that its script stores at most as many rows in each hash
FOLDS = "usage_folds"  # field of the service: number of such steps
MAX_ROWS = 10_000  # of one tenant on one day: 1.5 MB
MAX_READ_ROWS = 300_000  # which take a thread of the web process a second or two
MAX_READ_HASHES = 10_000  # one for each tenant of a day
SET_ASIDE_SECONDS = 7 * 86_400
EPOCH = date(1970, 1, 1)
NOBODY = "-"  # the name of a row of turns without a user


class Hash(NamedTuple):
    """The sums of one hash of the store that are to be added."""

    name: str
    day: int
    rows: Rows

    @property
    def fields(self) -> list[Row]:
        """The rows to read: those with new sums, and those that may have to take them."""
        return list(dict.fromkeys((*self.rows, *(row.rest for row in self.rows))))


class Source(NamedTuple):
    """A hash to read: a day's sums of all tenants, or of the users of one."""

    day: date
    tenant: str | None = None

    @property
    def name(self) -> str:
        number = str((self.day - EPOCH).days)
        return keys.USAGE(number) if self.tenant is None else keys.USER_USAGE(f"{self.tenant}:{number}")


class UsageStore:
    """Every method raises `StoreUnavailable`. `offload` runs the arithmetic of reports."""

    def __init__(self, client: Client, settings: Settings, offload: Offload = run_inline) -> None:
        self._client, self._offload = client, offload
        self._scripts = {partition: UsageScripts(partition, settings) for partition in client.partitions}
        self._kept_days = 1 + settings.usage_days
        self._kept_ms = self._kept_days * DAY_MS

    def fold(self) -> None:
        """Add all new entries to the sums of their days, each once, in each partition that is not away."""
        self._client.gather(dict(enumerate(self._folds())))

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
        hashes = self._read(self._choose(query))
        return cast(UsageReport, self._offload(lambda: build_report(query, hashes)))

    def forget_user(self, user_id: str, *, tenant: str) -> int:
        """Give the user's rows in the sums of all days to no user; return their number. Totals do not change."""
        return sum(
            scripts.forget_user(key, {str(row): str(row._replace(name=NOBODY)) for row in rows})
            for scripts, key, rows in self._rows_of_user(user_id, tenant)
        )

    def has_user(self, user_id: str, *, tenant: str) -> bool:
        """Return whether the sums of a day name the user."""
        return next(self._rows_of_user(user_id, tenant), None) is not None

    def _rows_of_user(self, user_id: str, tenant: str) -> Iterator[tuple[UsageScripts, str, list[Row]]]:
        """Yield the key and the rows of each day on which the user has some, with the scripts of its partition."""
        call_each(self._folds())  # in all partitions, because entries that are not in the sums have the name too
        name, today = escape_id(user_id), (datetime.now(UTC).date() - EPOCH).days
        for client, scripts in self._scripts.items():
            for day in range(today - self._kept_days, today + 2):  # the clock of the store may be a little ahead
                key = keys.USER_USAGE(f"{tenant}:{day}")
                rows = [Row.parse(row) for row in cast(list[bytes], client.hkeys(key))]
                if named := [row for row in rows if row.name == name]:
                    yield scripts, key, named

    def _folds(self) -> list[Callable[[], None]]:
        return [partial(self._fold_all, client, scripts) for client, scripts in self._scripts.items()]

    def _fold_all(self, client: Client, scripts: UsageScripts) -> None:
        while self._fold_some(client, scripts):
            pass

    def _fold_some(self, client: Client, scripts: UsageScripts) -> bool:
        """Add the oldest entries to the sums; return whether there may be more."""
        # In this order, so that the script notices a fold of another process in between.
        folds, entries = client.execute_many(
            [("HGET", keys.SERVICE.name, FOLDS), ("LRANGE", keys.USAGE_ENTRIES.name, 0, FOLD_LIMIT - 1)]
        )
        if not entries:
            return False
        sums = sum_entries(entries)
        hashes = [Hash(keys.USAGE(str(day)), day, rows) for day, rows in sums.by_tenant.items()]
        hashes += [Hash(keys.USER_USAGE(f"{tenant}:{day}"), day, rows) for (day, tenant), rows in sums.by_user.items()]
        self._set_foreign_keys_aside(client, [one.name for one in hashes])
        outcome = scripts.fold_usage(
            (folds or b"0").decode(), len(entries), counters=sums.tokens, hashes=self._merge(client, hashes)
        )
        return outcome is Reply.LOST or len(entries) == FOLD_LIMIT

    def _merge(self, client: Client, hashes: Sequence[Hash]) -> list[SumsToStore]:
        """Return the new content of these rows."""
        replies = client.execute_many(
            [command for one in hashes for command in (("HLEN", one.name), ("HMGET", one.name, *map(str, one.fields)))]
        )
        merged = []
        for one, length, values in zip(hashes, replies[::2], replies[1::2], strict=True):
            stored = {row: value for row, value in zip(one.fields, values, strict=True) if value is not None}
            rows = merge(one.rows, stored, room=MAX_ROWS - length)
            texts = {str(row): format_sums(sums) for row, sums in rows.items()}
            merged.append(SumsToStore(one.name, one.day * DAY_MS + self._kept_ms, texts))
        return merged

    def _set_foreign_keys_aside(self, client: Client, names: Sequence[str]) -> None:
        """Rename keys that another program has replaced by another type, as the repair does with fixed names."""
        types = client.execute_many([("TYPE", name) for name in names])
        for name, found in zip(names, types, strict=True):
            if found not in {b"hash", b"none"}:
                aside = keys.SET_ASIDE(name)
                client.execute_many([("RENAME", name, aside), ("EXPIRE", aside, SET_ASIDE_SECONDS)])

    def _choose(self, query: UsageQuery) -> Sequence[Source]:
        """Return the hashes that have the answer."""
        totals = [Source(day) for day in _days(query.first_day, query.last_day)]
        if query.tenant is None:
            return self._list_users(totals) if query.needs_users else totals
        users = [total._replace(tenant=query.tenant) for total in totals]
        if query.needs_users:
            return users
        # A small tenant does not pay for the rows of others, nor a large one for each of its users.
        lengths = zip(self._measure(totals), self._measure(users), strict=True)
        return [
            users[day] if of_users < of_tenants else totals[day] for day, (of_tenants, of_users) in enumerate(lengths)
        ]

    def _list_users(self, totals: Sequence[Source]) -> Sequence[Source]:
        """Return the hashes of the tenants that each day has."""
        hashes = self._read(totals)
        users = cast(list[Source], self._offload(lambda: [source for stored in hashes for source in _users(stored)]))
        if len(users) > MAX_READ_HASHES:
            rule = f"has more than {MAX_READ_HASHES} pairs of a day and a tenant; ask for fewer days or one tenant"
            raise InvalidRequest("since", rule)
        return users

    def _read(self, sources: Sequence[Source]) -> list[StoredSums]:
        """Return these hashes, read one after another, so that none keeps Redis from other commands for long."""
        lengths = self._measure(sources)
        if sum(lengths) > MAX_READ_ROWS:
            raise InvalidRequest("since", f"has more than {MAX_READ_ROWS} rows to read; ask for fewer days")
        return [
            StoredSums(source.day, source.tenant, cast(dict[bytes, bytes], self._client.hgetall(source.name)))
            for source, length in zip(sources, lengths, strict=True)
            if length
        ]

    def _measure(self, sources: Sequence[Source]) -> list[int]:
        return cast(list[int], self._client.execute_many([("HLEN", source.name) for source in sources]))


def _users(stored: StoredSums) -> list[Source]:
    """Return the hashes of the tenants that a day's sums name."""
    names = {Row.parse(row).name for row in stored.rows} - {REST}
    return [Source(stored.day, name) for name in sorted(names)]


def _days(first: date, last: date) -> Iterator[date]:
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)
