"""Waiting for facts, instead of sleeping to let something happen."""

import time
from collections.abc import Callable


def wait_until(what: str, holds: Callable[[], object], *, seconds: float = 20.0) -> None:
    """Returns as soon as `holds` is true; fails with `what` when the time is over."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, f"waited {seconds:g} s in vain until {what}"
        time.sleep(0.02)
