"""Start, restart and stop one child process."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

from supervisor.heartbeat import Heartbeat

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
CONFIGURATION_EXIT_CODE = 2
STABLE_SECONDS = 10.0  # a child without a heartbeat that ran for this long has worked
MAX_BACK_OFF_SECONDS = 10.0


class Child:
    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        inherits: Sequence[int] = (),
        heartbeat: Heartbeat | None = None,
    ) -> None:
        """Create the child without starting it; the descriptors in `inherits` stay open in the process.

        A child with a `heartbeat` is killed when its heartbeat stops.
        """
        self.name = name
        self._heartbeat = heartbeat
        self._inherits = tuple(inherits)
        self._command = list(command)
        self._environment = dict(environment)
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._back_off_seconds = 0.0
        self._restart_at: float | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def is_misconfigured(self) -> bool:
        """Whether the child exited because of a wrong configuration, which a restart does not cure."""
        return self._process is not None and self._process.poll() == CONFIGURATION_EXIT_CODE

    def start(self) -> None:
        if self._heartbeat:
            self._heartbeat.reset()
        # In a new session, Ctrl-C reaches only the supervisor, which then stops the processes in order.
        self._process = subprocess.Popen(
            self._command,
            env=self._environment,
            start_new_session=True,
            pass_fds=self._inherits,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509  # there are no threads
        )
        self._started_at = time.monotonic()
        self._restart_at = None

    def keep_running(self, *, may_start: bool = True) -> bool:
        """Kill the child if its heartbeat has stopped, and return whether it was restarted because it had exited.

        The delay of a restart grows while the process keeps exiting before it works. One that has worked, and was
        killed or has crashed, is restarted at once, because its turns wait.
        """
        if self._process is None:
            return False
        if self.is_running:
            self._kill_if_silent()
            return False
        now = time.monotonic()
        if self._restart_at is None:
            self._back_off_seconds = (
                0.0 if self._has_worked(now) else min(MAX_BACK_OFF_SECONDS, self._back_off_seconds * 2 + 0.5)
            )
            self._restart_at = now + self._back_off_seconds
            code = self._process.returncode
            print(f"{self.name} exited with code {code}; restarting in {self._back_off_seconds:g} s", flush=True)
        if not may_start or now < self._restart_at:
            return False
        self.start()
        return True

    def _has_worked(self, now: float) -> bool:
        has_begun = self._heartbeat is not None and self._heartbeat.has_begun()
        return has_begun or now - self._started_at >= STABLE_SECONDS

    def _kill_if_silent(self) -> None:
        if self._heartbeat and self._heartbeat.has_stopped():
            print(f"{self.name} has sent no heartbeat for {self._heartbeat.max_seconds:g} s; killing it", flush=True)
            self.kill()

    def terminate(self) -> None:
        if self._process is not None and self.is_running:
            self._process.terminate()

    def wait(self, seconds: float) -> None:
        """Wait for the child to exit; after `seconds`, kill the process and everything that it started."""
        if self._process is None:
            return
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            print(f"{self.name} did not stop within {seconds:g} s; killing it", flush=True)
            self.kill()

    def kill(self) -> None:
        if self._process is not None and self.is_running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def _die_with_parent() -> None:
    """Ask the kernel to end this process when the supervisor dies, even by `kill -9`; Linux only."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
