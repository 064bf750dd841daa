"""The times at which API keys were last used."""

import threading
import time
from collections.abc import Callable

from turns.backend import keys
from turns.backend.client import Client
from turns.config.logs import Log, get_logger
from turns.domain.errors import StoreUnavailable

RESOLUTION_SECONDS = 60.0  # a process writes the use of a key once in this time
GATHER_SECONDS = 1.0  # one write has the keys that were used within this time
MAX_KEYS = 10_000  # that a process remembers; about 1 MB


class KeyUses:
    """Records uses in memory, and writes them to the store from a thread, so that no request waits for it."""

    def __init__(self, client: Client, *, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._clock = clock
        self._recorded_at: dict[str, float] = {}
        self._pending: dict[str, int] = {}
        self._has_pending = threading.Event()

    def start(self) -> None:
        """Begin to write in the background."""
        threading.Thread(target=self._run, name="key-uses", daemon=True).start()

    def record(self, key_id: str) -> None:
        """Record that a key is used now. Does not call the store."""
        now = self._clock()
        if now - self._recorded_at.get(key_id, 0.0) < RESOLUTION_SECONDS:
            return
        if len(self._recorded_at) >= MAX_KEYS:
            self._recorded_at.clear()
        self._recorded_at[key_id] = now
        self._pending[key_id] = round(now * 1000)
        self._has_pending.set()

    def flush(self) -> None:
        """Write the uses that are not in the store yet. If the store takes none, they are forgotten."""
        self._has_pending.clear()
        pending, self._pending = self._pending, {}
        if not pending:
            return
        fields = [part for pair in pending.items() for part in pair]
        try:
            self._client.execute_many([("HSET", keys.KEY_USES.name, *fields)])
        except StoreUnavailable as error:
            get_logger().warning(Log.STORE_UNAVAILABLE, error=str(error))

    def _run(self) -> None:
        while True:
            self._has_pending.wait()
            time.sleep(GATHER_SECONDS)
            self.flush()
