"""The sorted sets of turns and sessions, read newest first in chunks, and what is found in them by its name."""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from turns.access.key_tenants import list_key_tenants
from turns.backend import keys
from turns.backend.client import Client
from turns.backend.request_fields import digest_key
from turns.domain.ids import DEFAULT_TENANT, escape_id, request_fingerprint

CHUNK = 2000  # members that one command reads, so that it blocks Redis for less than a millisecond
MIN_CHUNK = 20  # of each index at first, if there are many
MAX_SCANNED_TURNS = 500_000  # ids that one search looks through, about a second
MAX_SCANNED_SESSIONS = 200_000
MAX_KEYS = 100_000  # API keys whose tenants are searched
FIRST_OF_BATCH = 3  # turns of a batch, one of which was probably accepted
MAX_BATCH = 100  # turns of one request, whose idempotency keys are derived from that of the request

Position = tuple[int, str]  # time (ms) of an entry, and its member


@dataclass(frozen=True, slots=True)
class Scan:
    """The members that were found, newest first; `is_complete` is false if there are more than were looked through."""

    found: tuple[str, ...] = ()
    is_complete: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """The newest entries of a sorted set: at most `size`, none after `before` and none earlier than `since` (ms).

    Entries at the time of `before` are among them, because they can be on both sides of it.
    """

    index: str
    before: Position | None
    since: int | None
    size: int

    @property
    def command(self) -> tuple[str | int, ...]:
        top = "+inf" if self.before is None else self.before[0]
        bottom = "-inf" if self.since is None else self.since
        return ("ZRANGE", self.index, top, bottom, "BYSCORE", "REV", "LIMIT", 0, self.size, "WITHSCORES")

    def enlarged(self) -> "Chunk":
        return replace(self, size=4 * self.size)


def list_tenants(client: Client) -> list[str]:
    """Return the default tenant, and the tenants that have had an API key. Raises `StoreUnavailable`."""
    return sorted({DEFAULT_TENANT, *list_key_tenants(client, max_keys=MAX_KEYS)})


def newest_first(
    client: Client, indexes: Iterable[str], *, before: Position | None = None, since: int | None = None
) -> Iterator[Position]:
    """Yield the entries of these sorted sets together, newest first, before this position and not before `since`."""
    names = list(indexes)
    size = max(MIN_CHUNK, CHUNK // max(1, len(names)))
    chunks = [Chunk(index=name, before=before, since=since, size=size) for name in names]
    replies = client.execute_many([chunk.command for chunk in chunks])
    return heapq.merge(*(_walk(client, *first) for first in zip(chunks, replies, strict=True)), reverse=True)


def find_by_request(client: Client, tenants: Iterable[str], request_id: str) -> Scan:
    """Return the ids of the turns that this request created, and of very few others."""
    return _scan(client, map(keys.TURNS, tenants), request_fingerprint(request_id), MAX_SCANNED_TURNS)


def find_by_part_of_id(client: Client, tenants: Iterable[str], part: str) -> Scan:
    """Return the ids of the turns that contain this text."""
    return _scan(client, map(keys.TURNS, tenants), part, MAX_SCANNED_TURNS)


def find_sessions(client: Client, tenants: Iterable[str], text: str) -> Scan:
    """Return the names of the sessions whose id, or the id of whose user, contains this text."""
    return _scan(client, map(keys.SESSIONS, tenants), escape_id(text), MAX_SCANNED_SESSIONS)


def find_by_key(client: Client, tenants: Sequence[str], idempotency_key: str) -> Scan:
    """Return the ids of the turns that were accepted with this idempotency key, or in a batch with it."""
    given = [idempotency_key, *(f"{idempotency_key}\n{n}" for n in range(FIRST_OF_BATCH))]
    owners = [tenant for tenant in tenants if _read_keys(client, tenant, given)]
    in_batch = [idempotency_key, *(f"{idempotency_key}\n{n}" for n in range(MAX_BATCH))]
    return Scan(tuple(turn_id for tenant in owners for turn_id in _read_keys(client, tenant, in_batch)))


def _read_keys(client: Client, tenant: str, idempotency_keys: Sequence[str]) -> list[str]:
    found = client.read_hashes([keys.IDEMPOTENCY(digest_key(key, tenant)) for key in idempotency_keys], ["turn"])
    return [record["turn"] for record in found if "turn" in record]


def _scan(client: Client, indexes: Iterable[str], part: str, max_entries: int) -> Scan:
    entries = newest_first(client, indexes)
    found = tuple(member for _, member in islice(entries, max_entries) if part in member)
    return Scan(found, is_complete=next(entries, None) is None)


def _walk(client: Client, chunk: Chunk, reply: Sequence[Any]) -> Iterator[Position]:
    """Yield the entries of a sorted set from this chunk on; `reply` has those of the chunk."""
    while True:
        entries = _to_positions(reply)
        new = [entry for entry in entries if chunk.before is None or entry < chunk.before]
        yield from new
        if len(entries) < chunk.size:
            return
        # Without a new entry, all that were read have the time of the last position, and more may have it.
        chunk = replace(chunk, before=new[-1], size=min(CHUNK, 4 * chunk.size)) if new else chunk.enlarged()
        [reply] = client.execute_many([chunk.command])


def _to_positions(reply: Sequence[Any]) -> list[Position]:
    """Return the entries of a reply: pairs, or a flat list if the URL of the store selects the older protocol RESP2."""
    pairs = reply if reply and isinstance(reply[0], Sequence) and not isinstance(reply[0], bytes) else None
    found = pairs if pairs is not None else zip(reply[::2], reply[1::2], strict=True)
    return [(int(float(score)), member.decode()) for member, score in found]
