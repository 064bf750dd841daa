"""Waiting for facts instead of sleeping, and repeating a step in the background."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE_SECONDS = 60.0  # far longer than any fact takes, because other tests and programs may use the machine


def wait_until(condition: str, holds: Callable[[], object], *, seconds: float = PATIENCE_SECONDS) -> None:
    """Return as soon as `holds` returns true; fail with the name of the condition after `seconds`."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"timed out after {seconds:g} s of waiting until {condition}"
        time.sleep(0.02)


@contextmanager
def repeating(step: Callable[[], object], *, every_seconds: float) -> Iterator[None]:
    """Repeat the step in another thread while the block runs."""
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
