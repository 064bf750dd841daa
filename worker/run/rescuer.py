"""The rescuer: processes all due turns. Every worker has one; there is no leader. It also sends the heartbeat."""

from collections.abc import Callable

from turns.backend.script_replies import Reply
from turns.config.logs import Log, get_logger
from turns.domain.error_codes import Code
from turns.store.turns import RESCUE_LIMIT, TurnStore

LOGGED = {Reply.RESCUED, Reply.LOST, Reply.DISPATCHED, Reply.EXPIRED, Reply.FAILED}
REPAIRS = {Reply.BROKEN, Reply.RESTORED, Reply.CLOCK_SET_BACK}


class Rescuer:
    """Rescues turns, and drains the worker if an operator requests it."""

    def __init__(self, store: TurnStore, *, worker: str, hint: str, slots: int, drain: Callable[[], None]) -> None:
        """`slots`: maximum number of concurrent turns of this worker. `drain` is called once."""
        self._drain = drain
        self._is_drained = False
        self._store = store
        self._worker = worker
        self._hint = hint
        self._slots = slots

    def rescue(self) -> None:
        """Process all due turns, in batches."""
        while self._rescue_batch() >= RESCUE_LIMIT:
            pass
        if not self._is_drained and self._store.is_drained(self._worker):
            self._is_drained = True
            self._drain()

    def repair(self) -> None:
        """Repair damaged indexes, unless another worker has just done so."""
        for name, outcome in self._store.repair(worker=self._worker):
            get_logger().warning(Log.INDEX_REPAIRED, name=name, how=outcome.lower())

    def _rescue_batch(self) -> int:
        outcomes = self._store.rescue(worker=self._worker, hint=self._hint, slots=self._slots)
        for turn_id, outcome in outcomes:
            if outcome in LOGGED:
                get_logger().info(Log.TURN_RESCUED, turn_id=turn_id, how=outcome.lower())
            elif outcome in REPAIRS:
                get_logger().warning(Log.INDEX_REPAIRED, name=turn_id, how=outcome.lower())
            if outcome is Reply.LOST:
                get_logger().warning(Log.TURN_FAILED, turn_id=turn_id, code=Code.WORKER_LOST)
        return len(outcomes)
