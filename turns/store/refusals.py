"""The counter of refused turns, in the store like all others, so that every process reports the same numbers."""

from collections import Counter

from turns.backend.scripts import Scripts
from turns.domain.errors import Refused, StoreUnavailable


class RefusalCounter:
    """Counts refusals in the store. While it takes no writes, they are kept here until it does."""

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts
        self._pending: Counter[str] = Counter()

    def count(self, error: Refused | StoreUnavailable) -> None:
        """Count one refusal by its code."""
        self._pending[error.code] += 1
        # A store that does not answer would make the caller wait for a second timeout.
        if not isinstance(error, StoreUnavailable) or error.refused:
            self.flush()

    def flush(self) -> None:
        """Write the refusals that are not in the store yet."""
        if not self._pending:
            return
        pending, self._pending = self._pending, Counter()
        try:
            self._scripts.count_refusals(pending)
        except StoreUnavailable:
            self._pending.update(pending)
