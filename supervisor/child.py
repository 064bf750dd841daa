"""One child process: started, started again when it dies, stopped."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
WRONG_CONFIGURATION = 2  # exit code
STEADY_SECONDS = 10.0  # a child that ran for so long is started again at once
MOST_BACK_OFF_SECONDS = 10.0


class Child:
    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], *, inherits: Sequence[int] = ()
    ) -> None:
        """`inherits`: file descriptors that stay open in the child."""
        self.name = name
        self._inherits = tuple(inherits)
        self._command = list(command)
        self._environment = dict(environment)
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._back_off_seconds = 0.0
        self._start_again_at: float | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def is_misconfigured(self) -> bool:
        """It has said what is wrong with the configuration, and would say so again."""
        return self._process is not None and self._process.poll() == WRONG_CONFIGURATION

    def start(self) -> None:
        # In a session of its own, so that Ctrl-C reaches the supervisor alone, which stops all in good order.
        self._process = subprocess.Popen(
            self._command,
            env=self._environment,
            start_new_session=True,
            pass_fds=self._inherits,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509  # there are no threads
        )
        self._started_at = time.monotonic()
        self._start_again_at = None

    def keep_running(self) -> None:
        """Starts the child again if it has died: at once if it was steady, later each time if it dies young."""
        if self._process is None or self.is_running:
            return
        now = time.monotonic()
        if self._start_again_at is None:
            steady = now - self._started_at >= STEADY_SECONDS
            self._back_off_seconds = 0.0 if steady else min(MOST_BACK_OFF_SECONDS, self._back_off_seconds * 2 + 0.5)
            self._start_again_at = now + self._back_off_seconds
            code = self._process.returncode
            print(f"{self.name} ended with code {code}; starting it again in {self._back_off_seconds:g} s", flush=True)
        if now >= self._start_again_at:
            self.start()

    def ask_to_stop(self) -> None:
        if self._process is not None and self.is_running:
            self._process.terminate()

    def wait(self, seconds: float) -> None:
        """The child has ended, by itself within the time or else by force, with all that it started."""
        if self._process is None:
            return
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            print(f"{self.name} did not stop within {seconds:g} s; ending it by force", flush=True)
            self.kill()

    def kill(self) -> None:
        if self._process is not None and self.is_running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def _die_with_parent() -> None:
    """The kernel ends the child when the supervisor dies, even by `kill -9`. Only Linux has that."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
