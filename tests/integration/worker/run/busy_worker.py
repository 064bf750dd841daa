"""Hold a turn and compute without pause: `python -m tests.integration.worker.run.busy_worker URL TURN SECONDS`."""

import sys

from gevent import monkey

monkey.patch_all()

import time  # noqa: E402  # imports follow the patch

from turns.backend.opening import connect  # noqa: E402
from turns.backend.unpatched import UnpatchedLeaseClient  # noqa: E402
from turns.config.settings import Pool, Settings  # noqa: E402
from turns.store.turns import TurnStore  # noqa: E402
from worker.run.active_runs import ActiveRuns  # noqa: E402
from worker.run.interrupt import interrupter  # noqa: E402
from worker.run.lease_thread import LeaseRenewalThread  # noqa: E402


def main(url: str, turn_id: str, seconds: float) -> None:
    settings = Settings(redis_url=url, lease_seconds=1)
    store = TurnStore(connect(url, timeout_seconds=5, retries=0, max_connections=2), settings)
    active_runs = ActiveRuns(store, interrupter(Pool.GEVENT))
    claim = store.claim(turn_id, worker="busy")
    assert claim
    with active_runs.hold(claim, settings):
        LeaseRenewalThread(active_runs, UnpatchedLeaseClient(settings), every_seconds=settings.renew_seconds).start()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            pass


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
