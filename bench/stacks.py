"""The measured systems as processes: InTurn and plain Celery, each with a separate store and model server."""

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench import procfs, seed_history
from bench.caller import Caller
from bench.load import LoadResult, TurnFunction, long_poll_turn, poll_turn, run_load
from tests.chaos.baseline.stack import Baseline
from tests.support.processes import Process, Stack

IN_FLIGHT = 100
# Limits that no measurement reaches, and no log line per turn, because plain Celery writes none either.
SETTINGS = {
    "INTURN_LOG_LEVEL": "warning",
    "INTURN_MAX_LIVE_TURNS": "100000",
    "INTURN_TENANT_BACKLOG": "100000",
}


class InTurnStack(Stack):
    model_module = "bench.model_server"
    forks_processes = False  # forks share memory, and their CPU time leaves out what they have imported
    run_turn: TurnFunction = staticmethod(long_poll_turn)
    max_in_flight = 400  # turns in flight for the highest throughput

    def run_load(self, *, text: str, turns: int, in_flight: int, run_turn: TurnFunction | None = None) -> LoadResult:
        """Run turns in sessions that already hold messages, and count the CPU of the whole stack."""
        return run_load(
            self.url,
            run_turn or self.run_turn,
            text=text,
            turns=turns,
            in_flight=in_flight,
            cpu_seconds=self.cpu_seconds,
            seed_session=self.seed_session,
        )

    def cpu_seconds(self) -> float:
        """Return the CPU time of all processes of the stack, including the store, since their start."""
        return self.web_seconds() + self.worker_seconds() + self.store_seconds()

    def web_seconds(self) -> float:
        return procfs.group_cpu_seconds(self.web.pid)

    def worker_seconds(self) -> float:
        return sum(procfs.group_cpu_seconds(worker.pid) for worker in self.workers)

    def store_seconds(self) -> float:
        return procfs.process_cpu_seconds(self.store.pid)  # type: ignore[attr-defined]  # the store runs on this machine

    def seed_session(self, session: str) -> None:
        """Import the messages of `seed_history` into the session, outside of the measurement."""
        caller = Caller(self.url)
        caller.call("PUT", f"/v1/sessions/{session}/messages", {"messages": seed_history.messages()})
        caller.close()

    @property
    def model_url(self) -> str:
        return self.environment["OPENAI_BASE_URL"]


class PlainCeleryStack(InTurnStack, Baseline):
    """The Celery baseline with as many threads as turns in flight, which favours it."""

    run_turn = staticmethod(poll_turn)
    max_in_flight = IN_FLIGHT

    def start_worker(self) -> Process:
        name = f"-n{len(self.started)}@%h"
        self.started.append(name)
        options = ("--pool=threads", f"--concurrency={IN_FLIGHT}", "--loglevel=warning", name)
        return self._process("celery", "-A", "tests.chaos.baseline.thirty_lines", "worker", *options)

    def seed_session(self, session: str) -> None:
        self.store.raw.lpush(f"message_store:{session}", *seed_history.stored_messages())


@contextlib.contextmanager
def running(kind: type[InTurnStack], *, workers: int = 1, settings: Mapping[str, str] | None = None) -> Iterator[Any]:
    """Run a stack of this kind inside the block."""
    with (
        tempfile.TemporaryDirectory(prefix="inturn-bench-") as directory,
        kind(Path(directory), workers=workers, settings={**SETTINGS, **(settings or {})}) as stack,
    ):
        yield stack
