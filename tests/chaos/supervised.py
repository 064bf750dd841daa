"""The product as `make up` runs it: the endpoint and the workers are children of its own supervisor."""

import contextlib
import os
import signal
from pathlib import Path

from tests.support.processes import Process, Stack
from tests.support.waiting import wait_until


class Child(Process):
    """A process that the supervisor has started, in its own process group."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    @property
    def pid(self) -> int:
        return self._pid

    @property
    def is_running(self) -> bool:
        return bool(_command_line(self._pid))

    def signal(self, number: signal.Signals) -> None:
        os.killpg(self._pid, number)

    def kill(self) -> None:
        """Send SIGKILL to the process group; the supervisor reaps it."""
        with contextlib.suppress(ProcessLookupError):
            self.signal(signal.SIGKILL)


class SupervisedStack(Stack):
    """A stack whose dead processes the product's supervisor starts again, with its own delays and default limits."""

    def start_processes(self, *, workers: int, chain_workers: int) -> None:
        self.environment["WORKERS"] = str(workers)
        if chain_workers:  # the supervisor starts them if an assistant needs them
            self.environment["CHAIN_WORKERS"] = str(chain_workers)
        self.supervisor = self._process("supervisor")
        self._find_children()

    def replace_dead(self) -> None:
        self._find_children()

    def stop(self) -> None:
        try:
            self.supervisor.stop()
        finally:
            super().stop()

    def _find_children(self) -> None:
        """Find the endpoint and at least one worker."""

        def are_found() -> bool:
            children = Path(f"/proc/{self.supervisor.pid}/task/{self.supervisor.pid}/children").read_text().split()
            lines = {int(pid): _command_line(int(pid)) for pid in children}
            web = [Child(pid) for pid, line in lines.items() if line.endswith("-m web")]
            self.workers = [Child(pid) for pid, line in lines.items() if "-m worker" in line]
            if web:
                self.web = web[0]
            return bool(web and self.workers)

        wait_until("the supervisor has started the processes", are_found, seconds=60)


def _command_line(pid: int) -> str:
    """Return the command line of a process, or '' if it has ended, reaped or not."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()
    except OSError:
        return ""
