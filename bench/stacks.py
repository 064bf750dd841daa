"""What is measured, as processes: ours, and the thirty lines, each with a store and a model server of its own."""

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench import kernel
from tests.chaos.baseline.stack import Baseline
from tests.processes import Process, Stack

IN_FLIGHT = 100
# Room for what a measurement asks for, and no line of log for each turn: the thirty lines write none either.
SETTINGS = {
    "INTURN_LOG_LEVEL": "warning",
    "INTURN_MAX_LIVE_TURNS": "100000",
    "INTURN_TENANT_BACKLOG": "100000",
}


class Ours(Stack):
    model_module = "bench.model"

    def cpu_seconds(self) -> float:
        """Of all our processes and the store together, since they began."""
        return self.web_seconds() + self.worker_seconds() + self.store_seconds()

    def web_seconds(self) -> float:
        return kernel.cpu_seconds(self.web.pid)

    def worker_seconds(self) -> float:
        return sum(kernel.cpu_seconds(worker.pid) for worker in self.workers)

    def store_seconds(self) -> float:
        return kernel.cpu_seconds_of_one(self.server.pid)  # type: ignore[attr-defined]  # a store of this machine

    @property
    def model_url(self) -> str:
        return self.environment["OPENAI_BASE_URL"]


class ThirtyLines(Ours, Baseline):
    """With as many threads as there are turns in flight, which is kinder than what one writes first."""

    def start_worker(self) -> Process:
        name = f"-n{len(self.started)}@%h"
        self.started.append(name)
        options = ("--pool=threads", f"--concurrency={IN_FLIGHT}", "--loglevel=warning", name)
        return self._process("celery", "-A", "tests.chaos.baseline.thirty_lines", "worker", *options)


@contextlib.contextmanager
def running(kind: type[Ours], *, workers: int = 1, settings: Mapping[str, str] | None = None) -> Iterator[Any]:
    """A stack of this kind, for as long as it is needed."""
    with tempfile.TemporaryDirectory(prefix="inturn-bench-") as directory:
        stack = kind(Path(directory), workers=workers, settings={**SETTINGS, **(settings or {})})
        try:
            yield stack
        finally:
            stack.stop()
