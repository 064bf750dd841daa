"""Work that waits for a disk."""

from collections.abc import Callable
from typing import TypeAlias, TypeVar, cast

from turns.domain.errors import HistoryUnusable, StoreUnavailable

T = TypeVar("T")
Offload: TypeAlias = Callable[[Callable[[], object]], object]  # does work where nobody else has to wait with it


def run_inline(work: Callable[[], object]) -> object:
    return work()


def on_disk(work: Callable[[], T], offload: Offload = run_inline) -> T:
    """`work` touches files and nothing else: it may run in a thread that no connection belongs to.

    Raises `HistoryUnusable`, and `StoreUnavailable` where the disk cannot be used.
    """

    def carried() -> T | OSError | HistoryUnusable:
        """What is raised in a thread of gevent's is printed there, whoever handles it here."""
        try:
            return work()
        except (OSError, HistoryUnusable) as error:
            return error

    outcome = offload(carried)
    if isinstance(outcome, OSError):
        raise StoreUnavailable(f"the history's file cannot be used: {outcome}") from outcome
    if isinstance(outcome, HistoryUnusable):
        raise outcome
    return cast(T, outcome)
