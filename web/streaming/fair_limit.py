"""The limit of streams or long polls of one process, of which no tenant can use all."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from turns.domain.ids import DEFAULT_TENANT

# A tenant may hold four times as many as are free, so a tenant alone gets four fifths, and any number of greedy
# tenants leave some. Source: Choudhury and Hahne, "Dynamic Queue Length Thresholds for Shared-Memory Packet Switches".
MAX_HELD_PER_FREE = 4


class FairLimit:
    """Counts by tenant. Without API keys there is one tenant, which may use the whole limit."""

    def __init__(self, max_count: int) -> None:
        self._max_count = max_count
        self._count = 0
        self._held: Counter[str] = Counter()

    def has_room(self, tenant: str) -> bool:
        """Return whether the tenant may begin one more now."""
        free = self._max_count - self._count
        return free > 0 and (tenant == DEFAULT_TENANT or self._held[tenant] < MAX_HELD_PER_FREE * free)

    @contextmanager
    def hold(self, tenant: str) -> Iterator[None]:
        """Count one for the tenant inside the context."""
        self._count += 1
        self._held[tenant] += 1
        try:
            yield
        finally:
            self._count -= 1
            self._held[tenant] -= 1
            if not self._held[tenant]:
                del self._held[tenant]
