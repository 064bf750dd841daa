import subprocess
import sys
import time
from collections.abc import Callable
from typing import cast

from tests.support.server import Server
from tests.support.waiting import wait_until
from tools import ROOT
from turns.backend import keys
from turns.domain.state import Status
from turns.domain.turn import Turn
from turns.store.turns import TurnStore

BUSY_SECONDS = 4  # four leases, each renewed three times
EXPECTED_RENEWALS = 4  # on a machine with other load


def test_a_worker_that_computes_without_pause_renews_its_lease(
    accept: Callable[..., Turn], store: TurnStore, server: Server
) -> None:
    turn = accept()
    module = "tests.integration.worker.run.busy_worker"
    command = [sys.executable, "-m", module, server.url, turn.id, str(BUSY_SECONDS)]
    with subprocess.Popen(command, cwd=ROOT) as busy:
        wait_until("the turn is claimed", lambda: store.get_turn(turn.id).status is Status.IN_PROGRESS)
        leases = {lease_end(server, turn) for _ in iter(lambda: busy.poll() is None, False)}
        assert busy.returncode == 0
    assert len(leases) > EXPECTED_RENEWALS


def lease_end(server: Server, turn: Turn) -> float | None:
    """Return the time (ms) at which the lease runs out."""
    time.sleep(0.02)
    return cast(float | None, server.raw.zscore(keys.DUE.name, turn.id))
