"""A private Valkey server for the tests: a separate directory, a socket file and no port."""

import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import redis

from supervisor.embedded_store import server_program
from tests.support.waiting import PATIENCE_SECONDS, wait_until

DURABLE = ("--appendonly", "yes", "--appendfsync", "always", "--save", "")
NOT_DURABLE = ("--appendonly", "no", "--save", "")


class Server:
    def __init__(self, directory: Path, *, options: Sequence[str] = NOT_DURABLE) -> None:
        self._options = options
        self._directory = directory
        self.socket = directory / "s.sock"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{self.socket}"
        self.raw: Any = redis.Redis.from_url(self.url)  # redis-py's return types are unions that no test needs

    def start(self, *more: str) -> None:
        if self._process is not None:
            self._process.wait(PATIENCE_SECONDS)  # it has ended and must be reaped
        self._process = subprocess.Popen(
            [
                str(server_program()),
                *("--port", "0", "--unixsocket", str(self.socket), "--dir", str(self._directory)),
                *("--logfile", str(self._directory / "log")),
                *self._options,
                *more,
            ],
            # Python ignores SIGXFSZ, and the server must inherit that: then a write beyond the limit of a file's size
            # returns an error instead of killing the server.
            restore_signals=False,
        )
        wait_until("the store is reachable", self.is_reachable)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def append_only_file(self) -> Path:
        """The file to which a durable server appends each write."""
        [path] = self._directory.glob("appendonlydir/*.incr.aof")
        return path

    def is_reachable(self) -> bool:
        try:
            return bool(self.raw.ping())
        except redis.RedisError:
            return False

    def stop(self) -> None:
        self._end(kill=False)

    def kill(self) -> None:
        self._end(kill=True)

    def freeze(self) -> None:
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _end(self, *, kill: bool) -> None:
        assert self._process is not None
        (self._process.kill if kill else self._process.terminate)()
        self._process.wait(PATIENCE_SECONDS)
