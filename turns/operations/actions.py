"""The actions of operators: failed turns, cancellations, holds and the draining of workers."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from turns.access.api_key import ApiKey
from turns.backend import keys
from turns.backend.client import Client
from turns.domain.assistant import Assistant
from turns.domain.error_codes import Code
from turns.domain.errors import (
    CountChanged,
    IntakePaused,
    Overloaded,
    Refused,
    SessionNotFound,
    StoreUnsafe,
    TurnExpired,
    TurnNotFound,
    WorkerNotFound,
)
from turns.domain.ids import tenant_of
from turns.domain.open_enum import member_or_text
from turns.domain.state import Status
from turns.domain.turn import Turn
from turns.operations.key_turns import Cancellation, cancel_turns_of_key
from turns.store.acceptance import Accepted
from turns.store.health import list_live_workers
from turns.store.turns import TurnStore

SCAN_LIMIT = 1000  # failed turns that one page reads at most
MAX_COUNTED = 10_000  # failed turns, the latest ones, that are counted by code and included in bulk actions
STOPPING_REFUSALS = (IntakePaused, Overloaded, StoreUnsafe)  # every following turn would be refused for the same reason
DRAIN_SECONDS = 600  # how long the request waits for the worker, which reads it within a second


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedPage:
    """A page of failed turns, newest first; `after` is the cursor of the next page, None on the last."""

    turns: tuple[Turn, ...]
    after: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkResult:
    """The number of turns that were retried or discarded, and the first refusal, if any."""

    done: int
    refused: Refused | None = None


class OperatorActions:
    """Every method raises `StoreUnavailable`.

    A failed turn is listed until it is retried or discarded, or until it expires.
    """

    def __init__(self, client: Client, store: TurnStore, find_assistant: Callable[[str], Assistant]) -> None:
        """`find_assistant` returns the present version of an assistant, or raises `AssistantNotFound`."""
        self._client = client
        self._store = store
        self._find_assistant = find_assistant
        self._codes: dict[str, Code | str] = {}  # by member of the failed list; the code of a failed turn never changes

    def lift_hold(self, name: str) -> None:
        """Let the turns that wait for this model start, oldest first, without a probe. Without a hold, do nothing."""
        self._store.lift_hold(name)

    def list_failed(self, *, code: Code | None = None, after: int | None = None, limit: int) -> FailedPage:
        """Return a page of the failed turns of all tenants. It may be short although it is not the last."""
        first = after or 0
        members = cast(list[bytes], self._client.zrevrange(keys.FAILED.name, first, first + SCAN_LIMIT - 1))
        found: list[Turn] = []
        for count, member in enumerate(members, 1):
            turn = self._read_failed(member.decode())
            if turn and (code is None or turn.error_code == code):
                found.append(turn)
            if len(found) == limit:
                has_more = first + count < self._client.zcard(keys.FAILED.name)
                return FailedPage(turns=tuple(found), after=first + count if has_more else None)
        return FailedPage(turns=tuple(found), after=first + SCAN_LIMIT if len(members) == SCAN_LIMIT else None)

    def find_failed(self, turn_id: str) -> Turn:
        """Return a failed turn of any tenant. Raises `TurnNotFound`."""
        for member in cast(list[bytes], self._client.zrevrange(keys.FAILED.name, 0, -1)):
            if member.endswith(f"/{turn_id}".encode()) and (turn := self._read_failed(member.decode())):
                return turn
        raise TurnNotFound

    def count_failed(self) -> dict[Code | str, int]:
        """Return the number of failed turns by code, highest first."""
        return dict(Counter(self._read_codes().values()).most_common())

    def retry_failed(self, turn: Turn) -> Accepted:
        """Retry a failed turn, once even if several operators do so. Raises like `TurnStore.retry_failed`."""
        accepted = self._store.retry_failed(
            turn.id, find=self._find_assistant, tenant=turn.tenant, idempotency_key=f"retry of {turn.id}"
        )
        self.discard_failed(turn)
        return accepted

    def discard_failed(self, turn: Turn) -> None:
        """Remove a turn from the failed ones. Its record stays until it expires."""
        self._client.zrem(keys.FAILED.name, f"{turn.tenant}/{turn.id}")

    def retry_all_failed(self, code: Code, *, count: int) -> BulkResult:
        """Retry all failed turns with this code, oldest first. Refused ones stay listed.

        Raises `CountChanged` if their number is not `count`; then nothing is done.
        """
        done, first_refusal = 0, None
        for turn in self._read_exactly(code, count):
            try:
                self.retry_failed(turn)
                done += 1
            except Refused as refusal:
                first_refusal = first_refusal or refusal
                if isinstance(refusal, STOPPING_REFUSALS):
                    break
        return BulkResult(done=done, refused=first_refusal)

    def discard_all_failed(self, code: Code, *, count: int) -> BulkResult:
        """Discard all failed turns with this code. Raises like `retry_all_failed`."""
        turns = self._read_exactly(code, count)
        for turn in turns:
            self.discard_failed(turn)
        return BulkResult(done=len(turns))

    def cancel_turn(self, turn: Turn) -> None:
        """End a live turn of any tenant without effect. An ended one stays as it is."""
        self._store.cancel(turn.id, tenant=turn.tenant)

    def cancel_session(self, session: str) -> int:
        """Cancel the live turns of a session and return their number. Raises `SessionNotFound`.

        The last one is cancelled first, so that the end of one starts no other.
        """
        if not self._client.exists(keys.SESSION(session)):
            raise SessionNotFound
        live = cast(list[bytes], self._client.lrange(keys.QUEUE(session), 0, -1))
        return sum(self._is_cancelled(turn_id.decode(), tenant_of(session)) for turn_id in reversed(live))

    def cancel_turns_of_key(self, key: ApiKey, *, limit: int) -> Cancellation:
        """Cancel the live turns that were accepted with this key, at most `limit`."""
        return cancel_turns_of_key(
            self._client, lambda turn_id: self._is_cancelled(turn_id, key.tenant), key, limit=limit
        )

    def _is_cancelled(self, turn_id: str, tenant: str) -> bool:
        """Cancel a turn; return false if it has ended otherwise or has expired."""
        try:
            return self._store.cancel(turn_id, tenant=tenant).status is Status.CANCELLED
        except (TurnNotFound, TurnExpired):
            return False

    def drain_worker(self, worker: str) -> None:
        """Let a worker finish its runs and exit, as after SIGTERM. Raises `WorkerNotFound`.

        Do nothing if it has ended in the last minutes: the request may be a repetition.
        """
        if worker not in list_live_workers(self._client):
            if self._client.hexists(keys.PROCESS(worker), "ended_at"):
                return
            raise WorkerNotFound
        self._client.set(keys.DRAINED(worker), 1, ex=DRAIN_SECONDS)

    def _read_exactly(self, code: Code, count: int) -> list[Turn]:
        """Return the failed turns with this code, oldest first. Raises `CountChanged`."""
        members = [member for member, member_code in self._read_codes().items() if member_code == code]
        if len(members) != count:
            raise CountChanged(len(members))
        return [turn for member in reversed(members) if (turn := self._read_failed(member))]

    def _read_codes(self) -> dict[str, Code | str]:
        """Return the code of each failed turn by member, newest first."""
        found = cast(list[bytes], self._client.zrevrange(keys.FAILED.name, 0, MAX_COUNTED - 1))
        members = [member.decode() for member in found]
        unknown = [member for member in members if member not in self._codes]
        turns = [keys.TURN(member.rpartition("/")[2]) for member in unknown]
        records = self._client.execute_many([("HMGET", turn, "status", "error_code") for turn in turns])
        read = {
            member: member_or_text(Code, code.decode())
            for member, (status, code) in zip(unknown, records, strict=True)
            if status == Status.FAILED.encode() and code
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
