"""Lease renewal in a real thread, for gevent.

Under gevent a thread is a greenlet, and waits while a run computes without yielding; its leases would run out. This
thread uses nothing that gevent has patched: its sleep and its connection are the original ones, and it reads the active
runs without a lock. It passes the outcomes to gevent's hub, where runs can be stopped.
"""

from collections.abc import Callable

import gevent
from gevent.monkey import get_original

from turns.backend.partition.unpatched_leases import PartitionedLeaseClient
from turns.backend.unpatched import UnpatchedLeaseClient
from turns.config.logs import Log, get_logger
from turns.domain.errors import StoreUnavailable
from worker.run.active_runs import ActiveRuns

original_sleep: Callable[[float], None] = get_original("time", "sleep")

RETRY_SECONDS = 0.2  # far below the lease time, which goes on while the store is unavailable


class LeaseRenewalThread:
    """A thread that renews the leases of all active runs. Create it in the thread of gevent's hub."""

    def __init__(
        self,
        active_runs: ActiveRuns,
        client: UnpatchedLeaseClient | PartitionedLeaseClient,
        *,
        every_seconds: float,
        sleep: Callable[[float], None] = original_sleep,
    ) -> None:
        self._active_runs = active_runs
        self._client = client
        self._every_seconds = every_seconds
        self._is_stopped = False
        self._sleep = sleep
        self._loop = gevent.get_hub().loop

    def start(self) -> None:
        """Start the thread."""
        get_original("_thread", "start_new_thread")(self._run, ())

    def stop(self) -> None:
        """Start no further renewal."""
        self._is_stopped = True

    def _run(self) -> None:
        while not self._is_stopped:
            try:
                self._renew()
                self._sleep(self._every_seconds)
            except StoreUnavailable as error:
                self._loop.run_callback_threadsafe(gevent.spawn, _warn, str(error))
                self._sleep(RETRY_SECONDS)

    def _renew(self) -> None:
        claims = self._active_runs.claims()
        if claims:
            self._loop.run_callback_threadsafe(self._active_runs.stop_runs, self._client.renew(claims))


def _warn(error: str) -> None:
    get_logger().warning(Log.STORE_UNAVAILABLE, error=error)
