"""The command `inturn` as a person or a script meets it."""

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

from tests.support.waiting import wait_until
from tools import ROOT

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COMMAND = [sys.executable, "-m", "inturn"]


class Inturn:
    """Runs the command against one service, with a state directory of its own."""

    def __init__(self, url: str, state: Path, **environment: str) -> None:
        self.environment = {**os.environ, "INTURN_URL": url, "XDG_STATE_HOME": str(state), **environment}

    def __call__(self, *arguments: str, stdin: str | None = None) -> "subprocess.CompletedProcess[str]":
        """As a script runs it: no terminal anywhere."""
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
        """Not waited for, in a group of its own."""
        return subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def at_terminal(self, *arguments: str) -> "Terminal":
        return Terminal([*COMMAND, *arguments], {**self.environment, "TERM": "xterm"})


class Terminal:
    """The command at a terminal that somebody types at."""

    def __init__(self, command: list[str], environment: Mapping[str, str]) -> None:
        self.raw = ""
        self.pid, self._end = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            os.execve(command[0], command, dict(environment))  # noqa: S606  # our own program

    @property
    def screen(self) -> str:
        """All that was shown, without colours."""
        return ESCAPES.sub("", self.raw).replace("\r\n", "\n")

    def type(self, text: str) -> None:
        os.write(self._end, text.encode())

    def press_ctrl_c(self) -> None:
        self.type("\x03")

    def wait_for(self, text: str) -> None:
        wait_until(f"{text!r} is shown", lambda: self._read() and text in self.screen)

    def wait_for_prompt(self) -> None:
        wait_until("it asks for a line", lambda: self._read() and self.screen.endswith("> "))

    def wait_for_end(self) -> int:
        """Its exit code."""
        until = time.monotonic() + 20
        while True:
            self._read()
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                self._read()
                os.close(self._end)
                return os.waitstatus_to_exitcode(status)
            if time.monotonic() > until:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                os.close(self._end)
                raise AssertionError(f"it does not end; it shows:\n{self.screen}")

    def _read(self) -> bool:
        """What is there to be read has been read."""
        while select.select([self._end], [], [], 0.02)[0]:
            try:
                self.raw += os.read(self._end, 65536).decode(errors="replace")
            except OSError:  # the other end is closed
                break
        return True
