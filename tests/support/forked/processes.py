"""Start forks of the templates; `Fork` has the methods of `subprocess.Popen` that the tests use."""

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.forked.template import MODULES
from tools import ROOT

VARIABLES = {"PYTHONWARNINGS": "default"}  # of the templates, and so of their forks
POLL_SECONDS = 0.01
# Settings that are read before or while modules are imported; the templates have imported them without these.
READ_BY_IMPORTS = ("INTURN_NAMESPACE", "INTURN_POOL", "OTEL_")


class Template:
    """One template process; its requests may come from several threads."""

    def __init__(self, kind: str) -> None:
        self._lock = threading.Lock()
        self._number = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.forked.template", kind],
            cwd=ROOT,
            env={**os.environ, **VARIABLES},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C must not end it before the tests have stopped its forks
        )
        atexit.register(self._end)

    def request(self, **request: Any) -> int | None:
        assert self._process.stdin
        assert self._process.stdout
        with self._lock:
            self._number += 1
            self._process.stdin.write(json.dumps({**request, "number": self._number}).encode() + b"\n")
            self._process.stdin.flush()
            while True:  # skips the reply to a request that the time limit of a test has interrupted
                line = self._process.stdout.readline()
                assert line, "the template has ended; its output says why"
                number, reply = json.loads(line)
                if number == self._number:
                    result: int | None = reply
                    return result

    def _end(self) -> None:
        self._process.communicate()  # closes its input, at whose end it ends


def can_fork(module: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Return whether a fork behaves like a new process with this environment."""
    has_other_imports = any(name.startswith(READ_BY_IMPORTS) for name in environment)
    return _kind(module) in MODULES and VARIABLES.items() <= environment.items() and not has_other_imports


class Fork:
    """A process that a template has forked."""

    def __init__(self, *module: str, log: Path, environment: Mapping[str, str]) -> None:
        log.touch()
        self._template = _template(_kind(module))
        pid = self._template.request(arguments=module, log=str(log), environment={**os.environ, **environment})
        assert pid
        self.pid = pid
        self._code: int | None = None

    def poll(self) -> int | None:
        if self._code is None:
            self._code = self._template.request(poll=self.pid)
        return self._code

    def wait(self, timeout: float) -> int:
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(POLL_SECONDS)
        return code

    def terminate(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)


def _kind(module: Sequence[str]) -> str:
    """Return the key of `MODULES` for `python -m MODULE`."""
    return " ".join(module) if module[0] == "worker" else module[0]


@cache
def _template(kind: str) -> Template:
    return Template(kind)
