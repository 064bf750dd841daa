"""The unresolved failed turns of all tenants: a list, their number by code, and the retry of one.

A failed turn is listed until it is retried or discarded, or until it expires.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.record import read_turn_records
from turns.domain.assistant import Assistant
from turns.domain.error_codes import Code
from turns.domain.errors import IntakePaused, Overloaded, StoreUnsafe, TurnExpired, TurnNotFound
from turns.domain.ids import tenant_of
from turns.domain.open_enum import member_or_text
from turns.domain.state import Status
from turns.domain.turn import Turn
from turns.domain.turn_filter import TurnFilter
from turns.store.acceptance import Accepted
from turns.store.turns import TurnStore

SCAN_LIMIT = 1000  # failed turns that one page reads at most
MAX_COUNTED = 10_000  # failed turns, the latest ones, that are counted by code
STOPPING_REFUSALS = (IntakePaused, Overloaded, StoreUnsafe)  # every following turn would be refused for the same reason
ANY = TurnFilter()

Entry = tuple[int, str]  # the time (ms) of the failure, and the turn as `<tenant>/<turn id>`


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedPage:
    """A page of failed turns, newest first, which may be short; `after` is the next cursor, None on the last page."""

    turns: tuple[Turn, ...]
    after: str | None


class FailedTurns:
    """Every method raises `StoreUnavailable`."""

    def __init__(self, client: Client, store: TurnStore, find_assistant: Callable[[str], Assistant]) -> None:
        """`find_assistant` returns the present version of an assistant, or raises `AssistantNotFound`."""
        self._client = client
        self._store = store
        self._find_assistant = find_assistant
        self._codes: dict[str, Code | str] = {}  # by member of the failed list; the code of a failed turn never changes

    def list_failed(self, *, conditions: TurnFilter = ANY, after: str | None = None, limit: int) -> FailedPage:
        """Return a page of the failed turns of all tenants; `after` is the cursor of an earlier page."""
        entries, has_more = self._read_entries(_position(after) if after else None)
        found: list[Turn] = []
        for number, (failed_at, member) in enumerate(entries, 1):
            turn = self._read_failed(member)
            if turn and conditions.matches(turn):
                found.append(turn)
            if len(found) == limit and (has_more or number < len(entries)):
                return FailedPage(turns=tuple(found), after=_cursor((failed_at, member)))
        return FailedPage(turns=tuple(found), after=_cursor(entries[-1]) if has_more else None)

    def find_failed(self, turn_id: str) -> Turn:
        """Return an unresolved failed turn of any tenant. Raises `TurnNotFound`."""
        [record] = self._client.read_hashes([keys.TURN(turn_id)], ["session"])
        turn = self.read_unresolved(f"{tenant_of(record['session'])}/{turn_id}") if record else None
        if not turn:
            raise TurnNotFound
        return turn

    def read_unresolved(self, member: str) -> Turn | None:
        """Return the turn of a member `<tenant>/<turn id>` of the list, or None if it is no longer there."""
        if self._client.zscore(keys.FAILED.name, member) is None:
            return None
        return self._read_failed(member)

    def count_failed(self) -> dict[Code | str, int]:
        """Return the number of failed turns by code, highest first."""
        return dict(Counter(self._read_codes().values()).most_common())

    def retry_failed(self, turn: Turn) -> Accepted:
        """Retry a failed turn, once even if several operators do so. Raises like `TurnStore.retry_failed`."""
        accepted = self._store.retry_failed(
            turn.id, find=self._find_assistant, tenant=turn.tenant, idempotency_key=f"retry of {turn.id}"
        )
        self._client.zrem(keys.FAILED.name, f"{turn.tenant}/{turn.id}")
        return accepted

    def _read_entries(self, before: Entry | None) -> tuple[list[Entry], bool]:
        """Return the next entries of the list of failed turns, newest first, and whether there may be more."""
        offset = 0
        while True:
            stored = cast(
                list[tuple[bytes, float]],
                self._client.zrevrangebyscore(
                    keys.FAILED.name,
                    before[0] if before else "+inf",
                    "-inf",
                    start=offset,
                    num=SCAN_LIMIT,
                    withscores=True,
                ),
            )
            found = [(int(failed_at), member.decode()) for member, failed_at in stored]
            entries = [entry for entry in found if before is None or entry < before]
            if entries or len(stored) < SCAN_LIMIT:
                return entries, len(stored) == SCAN_LIMIT
            offset += SCAN_LIMIT  # more turns have failed in this millisecond than one command reads

    def _read_codes(self) -> dict[str, Code | str]:
        """Return the code of each failed turn by member, newest first."""
        found = cast(list[bytes], self._client.zrevrange(keys.FAILED.name, 0, MAX_COUNTED - 1))
        members = [member.decode() for member in found]
        unknown = [member for member in members if member not in self._codes]
        turn_ids = [member.rpartition("/")[2] for member in unknown]
        records = read_turn_records(self._client, turn_ids, ["status", "error_code"])
        read = {
            member: member_or_text(Code, record["error_code"])
            for member, record in zip(unknown, records, strict=True)
            if record.get("status") == Status.FAILED and record.get("error_code")
        }
        known = {**self._codes, **read}
        self._codes = {member: known[member] for member in members if member in known}
        return self._codes

    def _read_failed(self, member: str) -> Turn | None:
        """Return the turn of a member `<tenant>/<turn id>`, or None if it has expired or is no longer failed."""
        tenant, _, turn_id = member.partition("/")
        try:
            turn = self._store.get_turn(turn_id, tenant=tenant)
        except (TurnNotFound, TurnExpired):
            return None
        return turn if turn.status is Status.FAILED else None


def _cursor(entry: Entry) -> str:
    return f"{entry[0]}.{entry[1]}"


def _position(cursor: str) -> Entry:
    failed_at, _, member = cursor.partition(".")
    return int(failed_at), member
