"""Runs the command `inturn` as a script or at a pseudo-terminal."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from tests.support.waiting import PATIENCE_SECONDS, wait_until
from tools import ROOT

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COMMAND = [sys.executable, "-m", "inturn"]


class Inturn:
    """Runs the command for one service, with a separate state directory."""

    def __init__(self, url: str, state: Path, **environment: str) -> None:
        self.environment = {**os.environ, "INTURN_URL": url, "XDG_STATE_HOME": str(state), **environment}

    def __call__(self, *arguments: str, stdin: str | None = None) -> "subprocess.CompletedProcess[str]":
        """Run the command without a terminal, as a script does."""
        return subprocess.run(
            [*COMMAND, *arguments],
            cwd=ROOT,
            env=self.environment,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start the command in a new process group, without waiting for its end."""
        return subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def at_terminal(self, *arguments: str) -> "PseudoTerminal":
        return PseudoTerminal([*COMMAND, *arguments], {**self.environment, "TERM": "xterm"})


class PseudoTerminal:
    """The command at a pseudo-terminal."""

    def __init__(self, command: list[str], environment: Mapping[str, str]) -> None:
        self.raw = ""
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            os.execve(command[0], command, dict(environment))  # noqa: S606  # our own program

    @property
    def screen(self) -> str:
        """The output since the start, without escape sequences."""
        return ESCAPES.sub("", self.raw).replace("\r\n", "\n")

    def type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def press_ctrl_c(self) -> None:
        self.type("\x03")

    def wait_for(self, text: str) -> None:
        wait_until(f"{text!r} appears", lambda: self._read() and text in self.screen)

    def wait_for_prompt(self) -> None:
        wait_until("the prompt appears", lambda: self._read() and self.screen.endswith("> "))

    def wait_for_end(self) -> int:
        """Return the exit code."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            self._read()
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                self._read()
                os.close(self._terminal)
                return os.waitstatus_to_exitcode(status)
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                os.close(self._terminal)
                raise AssertionError(f"the command does not end; its output:\n{self.screen}")

    def _read(self) -> bool:
        """Read all available output. Return true, for use in a condition."""
        while select.select([self._terminal], [], [], 0.02)[0]:
            try:
                self.raw += os.read(self._terminal, 65536).decode(errors="replace")
            except OSError:  # the other end is closed
                break
        return True
