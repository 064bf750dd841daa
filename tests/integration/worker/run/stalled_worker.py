"""Hold two turns and block the loop in one of them: `python -m tests.integration.worker.run.stalled_worker …`.

The arguments are the URL of the store, both turns, and what blocks: `system_call` or `interpreter`.
"""

import sys

from gevent import monkey

monkey.patch_all()

import os  # noqa: E402  # imports follow the patch
import re  # noqa: E402

import gevent  # noqa: E402
from gevent.event import Event  # noqa: E402

from turns.backend.opening import connect  # noqa: E402
from turns.config.logs import configure_logs  # noqa: E402
from turns.config.settings import Settings  # noqa: E402
from turns.store.turns import TurnStore  # noqa: E402
from worker.loops import watchdog  # noqa: E402
from worker.run.active_runs import ActiveRun, ActiveRuns  # noqa: E402
from worker.run.interrupt import interrupter  # noqa: E402


def main(url: str, blocking: str, waiting: str, kind: str) -> None:
    settings = Settings(redis_url=url, stall_seconds=1)
    configure_logs(settings)
    store = TurnStore(connect(url, timeout_seconds=5, retries=0, max_connections=2), settings)
    active_runs = ActiveRuns(store, interrupter(settings.pool))

    is_other_held = Event()

    def run(turn_id: str) -> None:
        claim = store.claim(turn_id, worker="stalled")
        assert claim
        with active_runs.hold(claim, settings) as active:
            execute(active)

    def execute(active: ActiveRun) -> None:
        if active.claim.turn_id == waiting:
            is_other_held.set()
            gevent.sleep(60)
        is_other_held.wait()
        if kind == "system_call":
            os.read(os.pipe()[0], 1)
        else:
            re.match("(a+)+$", "a" * 60 + "b")

    watchdog(active_runs, settings).start()
    gevent.joinall([gevent.spawn(run, turn) for turn in (waiting, blocking)])


if __name__ == "__main__":
    main(*sys.argv[1:])
