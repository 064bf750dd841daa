"""Waiting for facts, instead of sleeping to let something happen; and what is done meanwhile."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def wait_until(what: str, holds: Callable[[], object], *, seconds: float = 20.0) -> None:
    """Returns as soon as `holds` is true; fails with `what` when the time is over."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, f"waited {seconds:g} s in vain until {what}"
        time.sleep(0.02)


@contextmanager
def repeating(step: Callable[[], object], *, every_seconds: float) -> Iterator[None]:
    """Inside, this is done again and again by another thread."""
    done = threading.Event()

    def run() -> None:
        while not done.wait(every_seconds):
            step()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
