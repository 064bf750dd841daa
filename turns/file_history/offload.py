"""Run disk I/O without blocking other greenlets."""

from collections.abc import Callable
from typing import TypeVar, cast

from turns.backend.offload import Offload, run_inline
from turns.domain.errors import HistoryUnusable, StoreUnavailable

T = TypeVar("T")


class DiskUnavailable(StoreUnavailable):
    """The file of a session's history cannot be read or written."""


def run_disk_io(work: Callable[[], T], offload: Offload = run_inline) -> T:
    """Run `work` by `offload`, for example in a thread, and return its result.

    `work` must use files only: connections belong to the calling greenlet.

    Raises `HistoryUnusable`, and `DiskUnavailable` for any other failure of the disk.
    """

    def run_and_catch() -> T | OSError | HistoryUnusable:
        """Return an expected exception: gevent's thread pool prints each one that is raised, even if handled."""
        try:
            return work()
        except (OSError, HistoryUnusable) as error:
            return error

    outcome = offload(run_and_catch)
    if isinstance(outcome, OSError):
        raise DiskUnavailable(f"the history's file cannot be used: {outcome}") from outcome
    if isinstance(outcome, HistoryUnusable):
        raise outcome
    return cast(T, outcome)
