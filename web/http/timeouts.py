"""Clock and timeouts of the web process."""

import time
from typing import Self

import gevent


def now_ms() -> float:
    return time.time() * 1000


class TooLate(Exception):
    """Raised inside the block. Not an `OSError`, which gunicorn's body reader would take for a disconnect."""


class Timeout:
    """Raise `TimeoutError` if the block takes longer than `seconds`."""

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
