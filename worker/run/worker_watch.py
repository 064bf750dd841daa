"""Take over the turns of a killed worker at once, without waiting for its leases.

The kernel closes the connections of a killed process. Each worker therefore keeps a subscription to its own channel,
and the others check all subscriptions in one call. A lost connection is not proof, but a false alarm is harmless:
the fencing token keeps the worker from writing, and its turns run twice. A worker on the other side of a broken network
keeps its connection for minutes; its turns wait for their leases.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterable

from turns.config.logs import Log, get_logger
from turns.store.turns import TurnStore
from worker.run.periodic import Loop

SECONDS_PER_WORKER = 0.25  # between two checks of one worker, so that all together make about four a second
MAX_INTERVAL_SECONDS = 2.0
CONFIRMATIONS = 2
CONFIRM_SECONDS = 0.2  # a reconnection takes less
SETTLE_SECONDS = 2.0  # after a reconnection, when the other workers may be reconnecting too


class WorkerWatch:
    """Registers this worker, and takes over the turns of registered workers whose subscription has ended."""

    def __init__(
        self,
        store: TurnStore,
        worker: str,
        *,
        model: str,
        connections: Callable[[], Iterable[object]],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Watch as `worker`, whose default model is `model`; `connections` yields when its subscription begins."""
        self._store = store
        self._worker = worker
        self._model = model
        self._connections = connections
        self._clock = clock
        self._sleep = sleep
        self._loop = Loop("workers", self.check, every_seconds=self.interval_seconds)
        self._must_register = False
        self._was_connected = False
        self._settled_at = 0.0
        self._workers = 1

    def start(self) -> None:
        """Start to watch."""
        threading.Thread(target=self._follow_connections, name="connections", daemon=True).start()
        self._loop.start()

    def stop(self) -> None:
        """Start no further check."""
        self._loop.stop()

    def connected(self) -> None:
        """Register this worker, now or with a later check, and give the others time to reconnect too."""
        if self._was_connected:
            self._settled_at = self._clock() + SETTLE_SECONDS
        self._must_register = True
        with contextlib.suppress(Exception):  # would end the thread and its subscription; the next check logs it
            self._register()

    def interval_seconds(self) -> float:
        """Return the time between two checks of this worker, which grows with the number of workers."""
        return min(MAX_INTERVAL_SECONDS, SECONDS_PER_WORKER * max(1, self._workers))

    def check(self) -> None:
        """Take over the turns of workers that have vanished."""
        self._register()
        self._workers, suspects = self._store.find_vanished(self._worker)
        for _ in range(CONFIRMATIONS):
            if not suspects:
                return
            self._sleep(CONFIRM_SECONDS)
            suspects &= self._store.find_vanished(self._worker)[1]
        if self._clock() >= self._settled_at:
            for worker in suspects:
                self._take_over(worker)

    def _follow_connections(self) -> None:
        for _ in self._connections():
            self.connected()

    def _register(self) -> None:
        if self._must_register:
            others = self._store.register_worker(self._worker, model=self._model, again=self._was_connected)
            if others:
                get_logger().warning(Log.WORKERS_DIFFER, model=self._model, others=sorted(others))
            self._must_register, self._was_connected = False, True

    def _take_over(self, worker: str) -> None:
        if not self._store.begin_takeover(worker):
            return
        outcomes = self._store.rescue_worker(worker)
        # Only now: if this worker dies before, others still find the vanished one and take over the rest.
        if self._store.remove_vanished(worker):
            get_logger().warning(Log.WORKER_VANISHED, worker=worker, turns=len(outcomes))
