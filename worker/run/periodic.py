"""A loop of the worker process: does one step again and again, whatever the step raises."""

import threading
from collections.abc import Callable

from turns.config.logs import Log, get_logger
from turns.domain.errors import StoreUnavailable


class Loop:
    def __init__(self, name: str, step: Callable[[], None], *, every_seconds: float) -> None:
        self._step = step
        self._every_seconds = every_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """No further step begins."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._step()
            except StoreUnavailable as error:
                get_logger().warning(Log.STORE_UNAVAILABLE, error=str(error))
            except Exception:  # recovery itself must survive a bug in one step
                get_logger().exception(Log.LOOP_BROKEN, loop=self._thread.name)
            self._stopped.wait(self._every_seconds)
