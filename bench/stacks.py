"""What is measured, as processes: ours, and the thirty lines, each with a store and a model server of its own."""

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench import kernel, past
from bench.caller import Caller
from bench.load import One, Run, asked_again, load, polled
from tests.chaos.baseline.stack import Baseline
from tests.support.processes import Process, Stack

IN_FLIGHT = 100
# Room for what a measurement asks for, and no line of log for each turn: the thirty lines write none either.
SETTINGS = {
    "INTURN_LOG_LEVEL": "warning",
    "INTURN_MAX_LIVE_TURNS": "100000",
    "INTURN_TENANT_BACKLOG": "100000",
}


class Ours(Stack):
    model_module = "bench.model"
    one: One = staticmethod(polled)  # how a caller gets the answer of a turn
    most_in_flight = 400  # turns, when it is to make as many in a second as it can

    def load(self, *, said: str, turns: int, in_flight: int, one: One | None = None) -> Run:
        """In sessions with a past."""
        return load(
            self.url,
            one or self.one,
            said=said,
            turns=turns,
            in_flight=in_flight,
            cpu_seconds=self.cpu_seconds,
            begin=self.begin,
        )

    def cpu_seconds(self) -> float:
        """Of all our processes and the store together, since they began."""
        return self.web_seconds() + self.worker_seconds() + self.store_seconds()

    def web_seconds(self) -> float:
        return kernel.cpu_seconds(self.web.pid)

    def worker_seconds(self) -> float:
        return sum(kernel.cpu_seconds(worker.pid) for worker in self.workers)

    def store_seconds(self) -> float:
        return kernel.cpu_seconds_of_one(self.server.pid)  # type: ignore[attr-defined]  # a store of this machine

    def begin(self, session: str) -> None:
        """It holds the messages of `past`; what that takes is not measured."""
        caller = Caller(self.url)
        caller.call("PUT", f"/v1/sessions/{session}/messages", {"messages": past.given()})
        caller.close()

    @property
    def model_url(self) -> str:
        return self.environment["OPENAI_BASE_URL"]


class ThirtyLines(Ours, Baseline):
    """With as many threads as there are turns in flight, which is kinder than what one writes first."""

    one = staticmethod(asked_again)
    most_in_flight = IN_FLIGHT

    def start_worker(self) -> Process:
        name = f"-n{len(self.started)}@%h"
        self.started.append(name)
        options = ("--pool=threads", f"--concurrency={IN_FLIGHT}", "--loglevel=warning", name)
        return self._process("celery", "-A", "tests.chaos.baseline.thirty_lines", "worker", *options)

    def begin(self, session: str) -> None:
        self.server.raw.lpush(f"message_store:{session}", *past.stored())


@contextlib.contextmanager
def running(kind: type[Ours], *, workers: int = 1, settings: Mapping[str, str] | None = None) -> Iterator[Any]:
    """A stack of this kind, for as long as it is needed."""
    with tempfile.TemporaryDirectory(prefix="inturn-bench-") as directory:
        stack = kind(Path(directory), workers=workers, settings={**SETTINGS, **(settings or {})})
        try:
            yield stack
        finally:
            stack.stop()
