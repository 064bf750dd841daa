"""The heartbeat of a child process: a file that it touches regularly."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

SUSPENDED_SECONDS = 5.0  # after such a time between two checks, the child was probably suspended with the supervisor


class Heartbeat:
    """The heartbeat file of one child, which `INTURN_BEAT_FILE` names."""

    def __init__(self, file: Path, *, max_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`max_seconds` is the time without a heartbeat after which it counts as stopped."""
        self.file = file
        self.max_seconds = max_seconds
        self._clock = clock
        self._touched_at: float | None = None  # on the clock of the file system, which may be set
        self._seen_at = 0.0
        self._checked_at = clock()

    def reset(self) -> None:
        """Remove the file of an earlier process."""
        with contextlib.suppress(OSError):
            self.file.unlink()
        self._touched_at = None

    def has_begun(self) -> bool:
        """Return whether the process has touched the file: it has started, and worked."""
        return self.file.exists()

    def has_stopped(self) -> bool:
        """Return whether the file was touched, but not recently. A process that has not touched it yet is starting."""
        now = self._clock()
        was_suspended = now - self._checked_at > SUSPENDED_SECONDS
        self._checked_at = now
        try:
            touched_at = self.file.stat().st_mtime
        except OSError:
            return False
        if touched_at != self._touched_at or was_suspended:
            self._touched_at, self._seen_at = touched_at, now
        return now - self._seen_at > self.max_seconds
