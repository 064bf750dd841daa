"""The check that keeps turns out of a store that may delete them."""

import time
from collections.abc import Callable

from turns.backend.client import Client
from turns.config.settings import Settings
from turns.domain.errors import StoreUnsafe
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
