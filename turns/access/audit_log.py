"""The audit log in the store: what operators did, and what was refused to callers.

Acts and refused requests are two streams, so that a flood of refusals cannot push out what was done. Both are bounded
in number and time.
"""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self, cast

from turns.backend import keys
from turns.backend.client import Client

RETENTION_SECONDS = 90 * 24 * 3600
MAX_ACTS = 10_000  # about 3 MB
MAX_REFUSALS = 2_000
READ_LIMIT = 2_000  # entries that one page reads at most, which takes about 20 ms
CHUNK = 250  # entries that one command reads
OPTIONAL = ("key_id", "tenant", "target_tenant", "request_id", "reason")


class Outcome(StrEnum):
    DONE = "done"
    REFUSED = "refused"


STREAMS = {Outcome.DONE: (keys.AUDIT.name, MAX_ACTS), Outcome.REFUSED: (keys.AUDIT_REFUSED.name, MAX_REFUSALS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One action, or one refused request.

    `key_id` and `tenant` are those of the caller; None without an API key, as for commands on the service's machine.
    `target_tenant` is the tenant that `what` belongs to, if there is one.
    """

    action: str
    what: str
    key_id: str | None = None
    tenant: str | None = None
    target_tenant: str | None = None
    request_id: str | None = None
    reason: str = ""
    details: Mapping[str, int | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry(Act):
    """A recorded act; `id` is that of its entry in the stream, `at` its time in ms."""

    id: str
    at: int

    @classmethod
    def from_entry(cls, entry_id: bytes, fields: Mapping[bytes, bytes]) -> Self:
        record = {name.decode(): value.decode() for name, value in fields.items()}
        return cls(
            id=entry_id.decode(),
            at=int(entry_id.partition(b"-")[0]),
            action=record["action"],
            what=record["what"],
            details=json.loads(record.get("details", "{}")),
            **{name: record[name] for name in OPTIONAL if name in record},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which entries to read; None means any. Instants are in ms; `tenant` is that of the caller or of the target."""

    key_id: str | None = None
    tenant: str | None = None
    action: str | None = None
    what: str | None = None
    since: int | None = None
    until: int | None = None

    def matches(self, entry: AuditEntry) -> bool:
        return (
            (self.key_id is None or entry.key_id == self.key_id)
            and (self.tenant is None or self.tenant in {entry.tenant, entry.target_tenant})
            and (self.action is None or entry.action == self.action)
            and (self.what is None or self.what in entry.what)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """A page of entries, newest first; `after` is the cursor of the next page, None on the last."""

    entries: tuple[AuditEntry, ...]
    after: str | None


class AuditLog:
    """Every method raises `StoreUnavailable`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def append(self, act: Act, *, outcome: Outcome = Outcome.DONE) -> None:
        """Record an act, and remove the entries beyond the bounds."""
        name, max_length = STREAMS[outcome]
        oldest_ms = _now_ms() - RETENTION_SECONDS * 1000
        self._client.execute_many(
            [
                ("XADD", name, "MAXLEN", "~", max_length, "*", *_to_fields(act)),
                ("XTRIM", name, "MINID", "~", oldest_ms),
                ("EXPIRE", name, RETENTION_SECONDS),
            ],
            transaction=True,
        )

    def read(
        self, wanted: AuditFilter, *, outcome: Outcome = Outcome.DONE, after: str | None = None, limit: int
    ) -> AuditPage:
        """Return a page of the matching entries. It may be short although it is not the last."""
        found: list[AuditEntry] = []
        last = after
        for count, entry in enumerate(self._read_newest_first(STREAMS[outcome][0], wanted, after), 1):
            last = entry.id
            if wanted.matches(entry):
                found.append(entry)
            if len(found) == limit or count == READ_LIMIT:
                return AuditPage(entries=tuple(found), after=last)
        return AuditPage(entries=tuple(found), after=None)

    def _read_newest_first(self, name: str, wanted: AuditFilter, after: str | None) -> Iterator[AuditEntry]:
        if after and not any(map(int, after.split("-"))):
            return  # the store refuses a range that ends before its smallest id
        oldest = max(wanted.since or 0, _now_ms() - RETENTION_SECONDS * 1000)  # trimming is approximate
        end = f"({after}" if after else "+" if wanted.until is None else str(max(0, wanted.until))
        while True:
            chunk = cast(list[Any], self._client.xrevrange(name, end, str(oldest), count=CHUNK))
            for entry_id, fields in chunk:
                yield AuditEntry.from_entry(entry_id, fields)
            if len(chunk) < CHUNK:
                return
            end = f"({chunk[-1][0].decode()}"


def _to_fields(act: Act) -> list[str]:
    record = {"action": act.action, "what": act.what}
    record |= {name: value for name in OPTIONAL if (value := getattr(act, name))}
    if act.details:
        record["details"] = json.dumps(dict(act.details))
    return [part for pair in record.items() for part in pair]


def _now_ms() -> int:
    return round(time.time() * 1000)
