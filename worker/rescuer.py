"""The rescuer: every worker has one, and there is no leader. It looks at what is due, and so beats for its worker."""

from turns.logs import Log, get_logger
from turns.scripts import Reply
from turns.store import TurnStore

ACTED = {Reply.RESCUED, Reply.LOST, Reply.DISPATCHED}


class Rescuer:
    def __init__(self, store: TurnStore, *, worker: str, hint: str) -> None:
        self._store = store
        self._worker = worker
        self._hint = hint

    def rescue(self) -> None:
        for turn_id, word in self._store.rescue(worker=self._worker, hint=self._hint):
            if word in ACTED:
                get_logger().info(Log.TURN_RESCUED, turn_id=turn_id, how=word.lower())
