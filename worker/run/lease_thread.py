"""Keeps leases under gevent, where a thread is a greenlet and waits behind a run that computes without pause.

So this is a real thread. It touches nothing that gevent has patched: its sleep and its connection are the original
ones, it reads what is held without a lock, and what it hears is told to the hub, where runs can be stopped.
"""

import gevent
from gevent.monkey import get_original

from turns.backend.unpatched import UnpatchedLeaseClient
from turns.config.logs import Log, get_logger
from turns.domain.errors import StoreUnavailable
from worker.run.active_runs import ActiveRuns

RETRY_SECONDS = 0.2


class LeaseRenewalThread:
    def __init__(self, leases: ActiveRuns, renewal: UnpatchedLeaseClient, *, every_seconds: float) -> None:
        self._leases = leases
        self._renewal = renewal
        self._every_seconds = every_seconds
        self._stopped = False
        self._loop = gevent.get_hub().loop

    def start(self) -> None:
        get_original("_thread", "start_new_thread")(self._run, ())

    def stop(self) -> None:
        """No further renewal begins."""
        self._stopped = True

    def _run(self) -> None:
        sleep = get_original("time", "sleep")
        while not self._stopped:
            try:
                self._keep()
                sleep(self._every_seconds)
            except StoreUnavailable as error:
                self._loop.run_callback_threadsafe(gevent.spawn, _warn, str(error))
                sleep(RETRY_SECONDS)  # soon: the lease runs

    def _keep(self) -> None:
        wanted = self._leases.wanted()
        if wanted:
            self._loop.run_callback_threadsafe(self._leases.heed, self._renewal.renew(wanted))


def _warn(error: str) -> None:
    get_logger().warning(Log.STORE_UNAVAILABLE, error=error)
