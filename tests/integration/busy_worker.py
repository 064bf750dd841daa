"""Hold a turn and compute without pause: `python -m tests.integration.busy_worker URL TURN SECONDS`."""

import sys

from gevent import monkey

monkey.patch_all()

import time  # noqa: E402  # imports follow the patch

from turns.connection import connect  # noqa: E402
from turns.plain import PlainRenewal  # noqa: E402
from turns.settings import Pool, Settings  # noqa: E402
from turns.store import TurnStore  # noqa: E402
from worker.interrupt import interrupter  # noqa: E402
from worker.keeper import Keeper  # noqa: E402
from worker.lease import Leases  # noqa: E402


def main(url: str, turn_id: str, seconds: float) -> None:
    settings = Settings(redis_url=url, lease_seconds=1)
    store = TurnStore(connect(url, timeout_seconds=5, retries=0, max_connections=2), settings)
    leases = Leases(store, interrupter(Pool.GEVENT))
    claim = store.claim(turn_id, worker="busy")
    assert claim
    with leases.hold(claim, total_seconds=60):
        Keeper(leases, PlainRenewal(settings), every_seconds=settings.renew_seconds).start()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            pass


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
