"""The actions of operators on single things: holds, live turns and workers."""

from typing import cast

from turns.access.api_key import ApiKey
from turns.backend import keys
from turns.backend.client import Client
from turns.domain.errors import SessionNotFound, TurnExpired, TurnNotFound, WorkerAlive, WorkerNotFound
from turns.domain.ids import tenant_of
from turns.domain.state import Status
from turns.domain.turn import Turn
from turns.operations.key_turns import Cancellation, cancel_turns_of_key
from turns.store.health import list_live_workers
from turns.store.turns import TurnStore

DRAIN_SECONDS = 600  # how long the request waits for the worker, which reads it within a second


class OperatorActions:
    """Every method raises `StoreUnavailable`."""

    def __init__(self, client: Client, store: TurnStore) -> None:
        self._client = client
        self._store = store

    def lift_hold(self, name: str) -> None:
        """Let the turns that wait for this model start, oldest first, without a probe. Without a hold, do nothing."""
        self._store.lift_hold(name)

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

    def rescue_worker(self, worker: str) -> int:
        """Take the turns of a silent worker away, so that others run them now; return their number.

        If the worker still runs, its fencing tokens keep it from writing. Raises `WorkerNotFound`, or `WorkerAlive` if
        it sends heartbeats.
        """
        if worker in list_live_workers(self._client):
            raise WorkerAlive
        if self._client.zscore(keys.WORKERS.name, worker) is None:
            raise WorkerNotFound
        return len(self._store.rescue_worker(worker, is_forced=True))
