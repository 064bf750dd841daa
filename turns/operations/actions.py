"""The store, as far as it is about the service and not about one turn: its switches, and the turns that have failed."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

from turns.backend import keys
from turns.backend.client import Client
from turns.domain.assistant import Assistant
from turns.domain.error_codes import Code
from turns.domain.errors import (
    CountChanged,
    IntakePaused,
    Overloaded,
    Refused,
    TurnExpired,
    TurnNotFound,
    WorkerNotFound,
)
from turns.domain.state import Status
from turns.domain.turn import Turn
from turns.store.acceptance import Accepted
from turns.store.health import living_workers
from turns.store.turns import TurnStore

SCAN_LIMIT = 1000  # failed turns that one call looks at
MAX_COUNTED = 10_000  # failed turns that are counted by code, and dealt with at once; the last ones
FOR_ALL = (IntakePaused, Overloaded)  # refusals that the next turn would meet too
DRAIN_SECONDS = 600  # a worker hears of it within a second; whoever does not in this time is beyond hearing


class Switch(StrEnum):
    """What can be paused. What runs goes on."""

    INTAKE = "intake"  # new turns are refused
    WORKERS = "workers"  # no turn begins; what is accepted waits


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedPage:
    """Some failed turns, the last one first; `after` is the cursor of the next page, None on the last."""

    turns: tuple[Turn, ...]
    after: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkResult:
    """How many failed turns were dealt with, and the first refusal, if there was one."""

    done: int
    refused: Refused | None = None


class OperatorActions:
    def __init__(self, client: Client, store: TurnStore, find: Callable[[str], Assistant]) -> None:
        """`find` gives an assistant as it is now."""
        self._client = client
        self._store = store
        self._find = find
        self._codes: dict[str, Code] = {}  # by member; a failed turn keeps its code

    def pause(self, switch: Switch) -> None:
        """Holds from now on, for all processes, until `resume`."""
        seconds, _ = self._client.time()
        self._client.hsetnx(keys.SERVICE.name, switch, str(seconds * 1000))

    def resume(self, switch: Switch) -> None:
        self._client.hdel(keys.SERVICE.name, switch)

    def paused(self) -> dict[Switch, int]:
        """What is paused, since when (ms)."""
        found = cast(list[bytes | None], self._client.hmget(keys.SERVICE.name, list(Switch)))
        return {switch: int(since) for switch, since in zip(Switch, found, strict=True) if since}

    def failed(self, *, code: Code | None = None, after: int | None = None, limit: int) -> FailedPage:
        """Failed turns of all tenants that nobody has dealt with. A page can be short, and not the last."""
        first = after or 0
        members = cast(list[bytes], self._client.zrevrange(keys.FAILED.name, first, first + SCAN_LIMIT - 1))
        found: list[Turn] = []
        for looked_at, member in enumerate(members, 1):
            turn = self._read(member.decode())
            if turn and (code is None or turn.error_code is code):
                found.append(turn)
            if len(found) == limit:
                more = first + looked_at < self._client.zcard(keys.FAILED.name)
                return FailedPage(turns=tuple(found), after=first + looked_at if more else None)
        return FailedPage(turns=tuple(found), after=first + SCAN_LIMIT if len(members) == SCAN_LIMIT else None)

    def retry(self, turn: Turn) -> Accepted:
        """The failed turn is asked for again, once, whoever else does so. Raises like `TurnStore.retry_failed`."""
        again = self._store.retry_failed(
            turn.id, find=self._find, tenant=turn.tenant, idempotency_key=f"retry of {turn.id}"
        )
        self.discard(turn)
        return again

    def discard(self, turn: Turn) -> None:
        """Somebody has dealt with it: it is no longer among the failed ones. Its record stays until it expires."""
        self._client.zrem(keys.FAILED.name, f"{turn.tenant}/{turn.id}")

    def find_failed(self, turn_id: str) -> Turn:
        """A failed turn of any tenant that nobody has dealt with. Raises `TurnNotFound`."""
        for member in cast(list[bytes], self._client.zrevrange(keys.FAILED.name, 0, -1)):
            if member.endswith(f"/{turn_id}".encode()) and (turn := self._read(member.decode())):
                return turn
        raise TurnNotFound

    def count_failed(self) -> dict[Code, int]:
        """How many failed turns nobody has dealt with, by code, the most frequent first."""
        return dict(Counter(self._failed_codes().values()).most_common())

    def retry_all(self, code: Code, *, count: int) -> BulkResult:
        """All failed turns of this code are asked for again, the oldest first. Who was refused is still listed.

        Raises `CountChanged` when they are not so many any more; then nothing is done.
        """
        done, first_refusal = 0, None
        for turn in self._exactly(code, count):
            try:
                self.retry(turn)
                done += 1
            except Refused as refusal:
                first_refusal = first_refusal or refusal
                if isinstance(refusal, FOR_ALL):
                    break
        return BulkResult(done=done, refused=first_refusal)

    def discard_all(self, code: Code, *, count: int) -> BulkResult:
        """All failed turns of this code are dealt with. Raises like `retry_all`."""
        turns = self._exactly(code, count)
        for turn in turns:
            self.discard(turn)
        return BulkResult(done=len(turns))

    def drain(self, worker: str) -> None:
        """The worker will finish what it runs and end, as if it were told by SIGTERM. Raises `WorkerNotFound`."""
        if worker not in living_workers(self._client):
            raise WorkerNotFound
        self._client.set(keys.DRAINED(worker), 1, ex=DRAIN_SECONDS)

    def _exactly(self, code: Code, count: int) -> list[Turn]:
        """The failed turns of this code, the oldest first, if they are so many."""
        members = [member for member, its in self._failed_codes().items() if its is code]
        if len(members) != count:
            raise CountChanged(len(members))
        return [turn for member in reversed(members) if (turn := self._read(member))]

    def _failed_codes(self) -> dict[str, Code]:
        """The code of each failed turn, the last one first."""
        found = cast(list[bytes], self._client.zrevrange(keys.FAILED.name, 0, MAX_COUNTED - 1))
        members = [member.decode() for member in found]
        unknown = [member for member in members if member not in self._codes]
        turns = [keys.TURN(member.rpartition("/")[2]) for member in unknown]
        answers = self._client.execute_many([("HMGET", turn, "status", "error_code") for turn in turns])
        read = {
            member: Code(code.decode())
            for member, (status, code) in zip(unknown, answers, strict=True)
            if status == Status.FAILED.encode() and code
        }
        known = {**self._codes, **read}
        self._codes = {member: known[member] for member in members if member in known}
        return self._codes

    def _read(self, member: str) -> Turn | None:
        tenant, _, turn_id = member.partition("/")
        try:
            turn = self._store.get_turn(turn_id, tenant=tenant)
        except (TurnNotFound, TurnExpired):
            return None
        return turn if turn.status is Status.FAILED else None
