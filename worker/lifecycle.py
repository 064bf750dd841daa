"""The life of a worker process: start the loops, drain, release the remaining turns, leave."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from celery import signals

from turns.config.logs import Log, get_logger
from turns.config.version import VERSION
from turns.domain.errors import StoreUnavailable
from worker.run.active_runs import ActiveRuns
from worker.run.execution import Execution


class Startable(Protocol):
    """Anything that starts and stops with the worker."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


class Lifecycle:
    """Starts, drains and ends the worker together with Celery's."""

    def __init__(
        self,
        active_runs: ActiveRuns,
        execution: Execution,
        loops: Sequence[Startable],
        *,
        on_drain: Callable[[], None],
        leave: Callable[[], None],
        name: str,
        model: str,
        stopped_turns: Callable[[], Iterator[str | None]],
        grace_seconds: float,
    ) -> None:
        """`on_drain` must not wait. `leave` is called at the end.

        `stopped_turns` yields ids of turns, or None if some may have been missed.
        """
        self._active_runs = active_runs
        self._execution = execution
        self._loops = loops
        self._on_drain = on_drain
        self._leave = leave
        self._name = name
        self._model = model
        self._stopped_turns = stopped_turns
        self._grace_seconds = grace_seconds
        self._draining = threading.Event()

    def follow_celery(self) -> None:
        """Connect this object to the signals of Celery's worker."""
        signals.worker_ready.connect(self._start, weak=False)
        signals.worker_shutting_down.connect(self._drain, weak=False)
        signals.worker_shutdown.connect(self._end, weak=False)

    def _start(self, **_: object) -> None:
        for loop in self._loops:
            loop.start()
        _run_in_background(self._stop_cancelled_runs)
        _run_in_background(self._release_after_grace)
        get_logger().info(Log.WORKER_READY, version=VERSION, worker=self._name, model=self._model)

    def _drain(self, **_: object) -> None:
        """Start no further turns, and begin the grace period of those that run.

        Called by a signal handler, possibly inside gevent's loop, where waiting for anything would block the process.
        """
        self._execution.drain()
        self._on_drain()
        self._draining.set()
        get_logger().info(Log.WORKER_DRAINING)

    def _release_after_grace(self) -> None:
        self._draining.wait()
        time.sleep(self._grace_seconds)
        self._active_runs.release_all()

    def _end(self, **_: object) -> None:
        for loop in self._loops:
            loop.stop()
        with contextlib.suppress(StoreUnavailable):  # without this, the worker is removed when its heartbeat is old
            self._leave()

    def _stop_cancelled_runs(self) -> None:
        """Stop the run of each cancelled or interrupted turn at once. The next renewal would stop it later."""
        for turn_id in self._stopped_turns():
            with contextlib.suppress(StoreUnavailable):
                self._active_runs.renew() if turn_id is None else self._active_runs.stop_turn(turn_id)


def _run_in_background(target: Callable[[], None]) -> None:
    threading.Thread(target=target, daemon=True).start()
