"""Time in the web process."""

import time
from typing import Self

import gevent


def now_ms() -> float:
    return time.time() * 1000


class Timeout:
    """Inside, whatever waits for longer than so many seconds raises `TimeoutError`."""

    def __init__(self, seconds: float) -> None:
        self._timeout = gevent.Timeout(seconds, TimeoutError)

    def __enter__(self) -> Self:
        self._timeout.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timeout.close()
