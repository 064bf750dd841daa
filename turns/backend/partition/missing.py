"""The partitions that the reads for one answer have left out, so that the answer can name them.

The edge of a process begins to collect them, such as with each request; without that, nothing is collected. A context
variable carries them, because between the edge and the reads are layers that know no partitions.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from turns.domain.errors import StoreUnavailable

_missing: ContextVar[set[int] | None] = ContextVar("missing_partitions", default=None)


def collect_missing() -> None:
    """Begin to collect the partitions that the reads of this thread leave out."""
    _missing.set(set())


def missing_partitions() -> tuple[int, ...]:
    """Return the partitions that reads have left out since `collect_missing`, in order."""
    return tuple(sorted(_missing.get() or ()))


def report_missing(partitions: Iterable[int]) -> None:
    """Record that a read leaves these partitions out."""
    found = _missing.get()
    if found is not None:
        found.update(partitions)


@contextmanager
def need_all_partitions() -> Iterator[None]:
    """Raise `StoreUnavailable` at the end of the block if a read in it has left a partition out."""
    left_out: set[int] = set()
    token = _missing.set(left_out)
    try:
        yield
    finally:
        _missing.reset(token)
    if left_out:
        raise StoreUnavailable(f"partitions of the store are away: {len(left_out)}")
