import subprocess
import sys
import time
from collections.abc import Callable

from tests.support.server import Server
from tests.support.waiting import wait_until
from tools import ROOT
from turns.backend import keys
from turns.domain.state import Status
from turns.domain.turn import Turn
from turns.store.turns import TurnStore

BUSY_SECONDS = 4  # four leases


def test_a_worker_that_computes_without_pause_loses_no_lease(
    accept: Callable[..., Turn], store: TurnStore, server: Server
) -> None:
    turn = accept()
    module = "tests.integration.worker.run.busy_worker"
    command = [sys.executable, "-m", module, server.url, turn.id, str(BUSY_SECONDS)]
    with subprocess.Popen(command, cwd=ROOT) as busy:
        wait_until("the turn is claimed", lambda: store.get_turn(turn.id).status is Status.IN_PROGRESS)
        min_left = min(lease_left(server, turn) for _ in iter(lambda: busy.poll() is None, False))
        assert busy.returncode == 0
    assert min_left > 0


def lease_left(server: Server, turn: Turn) -> float:
    """Return the milliseconds until the lease runs out."""
    time.sleep(0.02)
    seconds, microseconds = server.raw.time()
    until = server.raw.zscore(keys.DUE.name, turn.id)
    return float(until - (seconds * 1000 + microseconds / 1000))
