"""Replace a chain worker whose chains have blocked too many threads, which nothing but the end of the process frees."""

from collections.abc import Callable

from turns.config.logs import Log, get_logger
from worker.langchain.chain_thread import count_abandoned


class CrowdWatch:
    """Drains the worker once, when as many threads were left behind as it may run turns."""

    def __init__(
        self, max_threads: int, drain: Callable[[], None], *, count: Callable[[], int] = count_abandoned
    ) -> None:
        self._max_threads = max_threads
        self._drain = drain
        self._count = count
        self._is_drained = False

    def check(self) -> None:
        """Drain the worker if it is time."""
        threads = self._count()
        if threads >= self._max_threads and not self._is_drained:
            self._is_drained = True
            get_logger().error(Log.CHAINS_ABANDONED, threads=threads)
            self._drain()
