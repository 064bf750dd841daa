"""The sorted sets of turns and sessions, read newest first in chunks, and what is found in them by its name."""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.scripts import digest_key
from turns.domain.ids import DEFAULT_TENANT, escape_id, request_fingerprint

CHUNK = 2000  # members that one command reads, so that it blocks Redis for less than a millisecond
MAX_SCANNED_TURNS = 500_000  # ids that one search looks through, about half a second
MAX_SCANNED_SESSIONS = 200_000
MAX_BATCH = 100  # turns of one request, whose idempotency keys are derived from that of the request

LAST_MEMBER = "\x7f"  # sorts after all members, which are escaped

Position = tuple[int, str]  # time (ms) of an entry, and its member


@dataclass(frozen=True, slots=True)
class Scan:
    """The members that were found, newest first; `is_complete` is false if there are more than were looked through."""

    found: tuple[str, ...] = ()
    is_complete: bool = True


def list_tenants(client: Client) -> list[str]:
    """Return the default tenant, and the tenants that have had an API key. Raises `StoreUnavailable`."""
    key_ids = cast(list[bytes], client.zrange(keys.API_KEYS.name, 0, -1))
    records = client.read_hashes([keys.API_KEY(key_id.decode()) for key_id in key_ids], ["tenant"])
    return sorted({DEFAULT_TENANT, *(record["tenant"] for record in records if "tenant" in record)})


def newest_first(
    client: Client, indexes: Iterable[str], *, before: Position | None = None, since: int | None = None
) -> Iterator[Position]:
    """Yield the entries of these sorted sets together, newest first, before this position and not before `since`."""
    return heapq.merge(*(_walk(client, index, before, since) for index in indexes), reverse=True)


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
    given = [idempotency_key, *(f"{idempotency_key}\n{n}" for n in range(MAX_BATCH))]
    digests = [digest_key(key, tenant) for tenant in tenants for key in given]
    found = client.read_hashes([keys.IDEMPOTENCY(digest) for digest in digests], ["turn"])
    return Scan(tuple(record["turn"] for record in found if "turn" in record))


def _scan(client: Client, indexes: Iterable[str], part: str, max_entries: int) -> Scan:
    entries = newest_first(client, indexes)
    found = tuple(member for _, member in islice(entries, max_entries) if part in member)
    return Scan(found, is_complete=next(entries, None) is None)


def _walk(client: Client, index: str, before: Position | None, since: int | None) -> Iterator[Position]:
    bottom = "-inf" if since is None else since
    while True:
        top = "+inf" if before is None else before[0]
        reply = client.zrange(index, top, bottom, desc=True, byscore=True, offset=0, num=CHUNK, withscores=True)
        entries = [(int(score), member.decode()) for member, score in cast(list[tuple[bytes, float]], reply)]
        new = [entry for entry in entries if before is None or entry < before]
        yield from new
        if len(entries) < CHUNK:
            return
        # Without a new entry, all of them have the time of the last position; skip the rest of that millisecond.
        before = new[-1] if new else (entries[-1][0] - 1, LAST_MEMBER)
