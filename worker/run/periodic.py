"""A loop of the worker process that repeats one step, even if the step raises."""

import threading
from collections.abc import Callable

from turns.config.logs import Log, get_logger
from turns.domain.errors import StoreUnavailable


class Loop:
    """Repeats a step in a daemon thread."""

    def __init__(self, name: str, step: Callable[[], object], *, every_seconds: float | Callable[[], float]) -> None:
        """`every_seconds` may be a function that returns the time until the next step."""
        self._step = step
        self._every_seconds = every_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the loop."""
        self._thread.start()

    def stop(self) -> None:
        """Start no further step."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._step()
            except StoreUnavailable as error:
                get_logger().warning(Log.STORE_UNAVAILABLE, error=str(error))
            except Exception:  # a bug in one step must not end the recovery of turns
                get_logger().exception(Log.LOOP_BROKEN, loop=self._thread.name)
            every = self._every_seconds
            self._stopped.wait(every() if callable(every) else every)
