"""How long a process takes until it serves, and what it holds then."""

import time
from collections.abc import Callable

from bench import kernel
from bench.figures import Figure, Measured, median
from bench.stacks import Ours, running
from tests.support.processes import call
from tests.support.waiting import wait_until


def measure(*, quick: bool) -> Measured:
    rounds = 1 if quick else 5
    with running(Ours, workers=0) as ours:
        web_mb = kernel.largest_mb(ours.web.pid)
        webs = [_web_again(ours) for _ in range(rounds)]
        workers = [_another_worker(ours) for _ in range(rounds)]
        worker_mb = kernel.resident_mb(ours.workers[-1].pid)
    return Measured(
        figures=[
            Figure(what="A worker is ready after", value=median(workers), unit="s", most=3),
            Figure(what="A web process serves after", value=median(webs), unit="s", most=1),
            Figure(what="Memory of a web process", value=web_mb, unit="MB", most=60),
            Figure(what="Memory of a worker process", value=worker_mb, unit="MB"),
        ]
    )


def _seconds(start: Callable[[], None], is_ready: Callable[[], bool]) -> float:
    began_at = time.perf_counter()
    start()
    wait_until("it is ready", is_ready, seconds=60)
    return time.perf_counter() - began_at


def _web_again(ours: Ours) -> float:
    ours.web.kill()

    def start() -> None:
        ours.web = ours.start_web()

    return _seconds(start, lambda: _serves(ours))


def _serves(ours: Ours) -> bool:
    try:
        return call(f"{ours.url}/livez", seconds=1).status == 200
    except OSError:
        return False


def _another_worker(ours: Ours) -> float:
    for worker in ours.workers:
        worker.stop()
    wait_until("none is left", lambda: ours.live_workers() == 0)

    def start() -> None:
        ours.workers = [ours.start_worker()]

    return _seconds(start, lambda: ours.live_workers() == 1)
