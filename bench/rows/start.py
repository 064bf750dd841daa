"""The start time of the processes and their memory after the start."""

import time
from collections.abc import Callable

from bench import procfs
from bench.figures import Figure, Result, median
from bench.stacks import InTurnStack, running
from tests.support.processes import call
from tests.support.waiting import wait_until


def measure(*, quick: bool) -> Result:
    rounds = 1 if quick else 5
    with running(InTurnStack, workers=0) as stack:
        web_mb = procfs.largest_process_mb(stack.web.pid)
        web_seconds = [_restart_web(stack) for _ in range(rounds)]
        worker_seconds = [_restart_worker(stack) for _ in range(rounds)]
        worker_mb = procfs.group_memory_mb(stack.workers[-1].pid)
    return Result(
        figures=[
            Figure(label="Start time of a worker", value=median(worker_seconds), unit="s", max_value=3),
            Figure(label="Start time of a web process", value=median(web_seconds), unit="s", max_value=1),
            Figure(label="Memory of a web process", value=web_mb, unit="MB", max_value=75),
            Figure(label="Memory of a worker process", value=worker_mb, unit="MB"),
        ]
    )


def _restart_web(stack: InTurnStack) -> float:
    stack.web.kill()

    def start() -> None:
        stack.web = stack.start_web()

    return _seconds_until(lambda: _is_serving(stack), start)


def _restart_worker(stack: InTurnStack) -> float:
    for worker in stack.workers:
        worker.stop()
    wait_until("no worker is alive", lambda: stack.live_workers() == 0)

    def start() -> None:
        stack.workers = [stack.start_worker()]

    return _seconds_until(lambda: stack.live_workers() == 1, start)


def _seconds_until(is_ready: Callable[[], bool], start: Callable[[], None]) -> float:
    started_at = time.perf_counter()
    start()
    wait_until("it is ready", is_ready, seconds=60)
    return time.perf_counter() - started_at


def _is_serving(stack: InTurnStack) -> bool:
    try:
        return call(f"{stack.url}/livez", seconds=1).status == 200
    except OSError:
        return False
