"""The rescuer: every worker has one, and there is no leader. It looks at what is due, and so beats for its worker."""

from collections.abc import Callable
from pathlib import Path

from turns.backend.script_replies import Reply
from turns.config.logs import Log, get_logger
from turns.store.turns import RESCUE_LIMIT, TurnStore

ACTED = {Reply.RESCUED, Reply.LOST, Reply.DISPATCHED, Reply.EXPIRED}


class Rescuer:
    def __init__(
        self, store: TurnStore, *, worker: str, hint: str, drain: Callable[[], None], beat_file: str = ""
    ) -> None:
        """`drain`: called once, when an operator wants this worker to end.

        `beat_file`: touched after each look, for whoever asks whether this process lives.
        """
        self._drain = drain
        self._is_drained = False
        self._beat_file = beat_file
        self._store = store
        self._worker = worker
        self._hint = hint

    def rescue(self) -> None:
        """All that is due has been looked at, however much it is."""
        seen = self._look()
        while len(seen) >= RESCUE_LIMIT:
            seen = self._look()
        if self._beat_file:
            Path(self._beat_file).touch()
        if not self._is_drained and self._store.is_drained(self._worker):
            self._is_drained = True
            self._drain()

    def _look(self) -> list[tuple[str, Reply]]:
        seen = self._store.rescue(worker=self._worker, hint=self._hint)
        for turn_id, word in seen:
            if word in ACTED:
                get_logger().info(Log.TURN_RESCUED, turn_id=turn_id, how=word.lower())
        return seen
