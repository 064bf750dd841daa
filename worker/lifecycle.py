"""The life of a worker process: it works, it is told to stop, it ends with nothing left in its hands."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from celery import signals

from turns.config.logs import Log, get_logger
from turns.domain.errors import StoreUnavailable
from worker.run.active_runs import ActiveRuns
from worker.run.execution import Execution


class Startable(Protocol):
    def start(self) -> None: ...

    def stop(self) -> None: ...


class Lifecycle:
    def __init__(
        self,
        leases: ActiveRuns,
        execution: Execution,
        loops: Sequence[Startable],
        *,
        leave: Callable[[], None],
        name: str,
        model: str,
        stopped: Callable[[], Iterator[str | None]],
        grace_seconds: float,
    ) -> None:
        self._leases = leases
        self._execution = execution
        self._loops = loops
        self._leave = leave
        self._name = name
        self._model = model
        self._stopped = stopped
        self._grace_seconds = grace_seconds
        self._draining = threading.Event()

    def follow_celery(self) -> None:
        """From here on this object starts, drains and ends with Celery's worker."""
        signals.worker_ready.connect(self._start, weak=False)
        signals.worker_shutting_down.connect(self._drain, weak=False)
        signals.worker_shutdown.connect(self._end, weak=False)

    def _start(self, **_: object) -> None:
        for loop in self._loops:
            loop.start()
        _in_background(self._stop_runs)
        _in_background(self._hand_back)
        get_logger().info(Log.WORKER_READY, worker=self._name, model=self._model)

    def _drain(self, **_: object) -> None:
        """No turn begins; those that run have their time of grace, and are handed back at its end.

        A signal's handler calls this, maybe inside gevent's loop, where nothing may wait, not even for a thread.
        """
        self._execution.drain()
        self._draining.set()
        get_logger().info(Log.WORKER_DRAINING)

    def _hand_back(self) -> None:
        self._draining.wait()
        time.sleep(self._grace_seconds)
        self._leases.hand_back()

    def _end(self, **_: object) -> None:
        for loop in self._loops:
            loop.stop()
        with contextlib.suppress(StoreUnavailable):  # then it is soon forgotten
            self._leave()

    def _stop_runs(self) -> None:
        """A run whose turn was cancelled or interrupted is told at once; `renew` would tell it later."""
        for turn_id in self._stopped():
            with contextlib.suppress(StoreUnavailable):
                self._leases.renew() if turn_id is None else self._leases.stop(turn_id)


def _in_background(target: Callable[[], None]) -> None:
    threading.Thread(target=target, daemon=True).start()
