"""The intake of turns: the check that keeps them out of a store that may delete them, and the counter of refusals."""

import time
from collections import Counter
from collections.abc import Callable

from turns.backend.client import Client
from turns.backend.scripts import Scripts
from turns.config.settings import Settings
from turns.domain.errors import Refused, StoreUnavailable, StoreUnsafe
from turns.store.health import is_safe_policy, read_memory

CHECK_SECONDS = 5.0  # a process reads the policy this often at most, so that the check costs a single turn nothing


class SafetyCheck:
    """Refuses turns while the store's eviction policy may delete them, unless a setting allows that."""

    def __init__(self, client: Client, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._allows_unsafe = settings.allow_unsafe_store
        self._clock = clock
        self._valid_until = 0.0
        self._is_safe = True

    def check(self) -> None:
        """Raise `StoreUnsafe`, or `StoreUnavailable` if the policy cannot be read."""
        if self._allows_unsafe:
            return
        if self._clock() >= self._valid_until:
            self._is_safe = is_safe_policy(read_memory(self._client).eviction_policy)
            self._valid_until = self._clock() + CHECK_SECONDS
        if not self._is_safe:
            raise StoreUnsafe


class RefusalCounter:
    """Counts refusals in the store, like all events, so that every process reports the same numbers.

    While it takes no writes, refusals are kept here until it does.
    """

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts
        self._pending: Counter[str] = Counter()

    @property
    def has_pending(self) -> bool:
        return bool(self._pending)

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
