"""Time in the web process."""

import time
from typing import Self

import gevent


def now_ms() -> float:
    return time.time() * 1000


class TooLate(Exception):
    """Not an `OSError`, which what reads from a caller would take for one who is gone."""


class Timeout:
    """Whatever waits inside for longer than so many seconds ends, and `TimeoutError` comes out."""

    def __init__(self, seconds: float) -> None:
        self._too_late = TooLate()
        self._timeout = gevent.Timeout(seconds, self._too_late)

    def __enter__(self) -> Self:
        self._timeout.start()
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        self._timeout.close()
        if error is self._too_late:
            raise TimeoutError from None
