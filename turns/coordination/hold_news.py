"""What this process has found out about models, for the next round of coordination."""

import threading
import time
from collections.abc import Iterable, Set

KNOWN_SECONDS = 5.0  # then the hold may have ended, because most rounds are those of other workers


class HoldNews:
    """The names of holds that have changed. For many threads."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._has_news = threading.Event()
        self._known: frozenset[tuple[str, int]] = frozenset()
        self._known_until = 0.0
        self._clock = time.monotonic

    def report(self, name: str, partition: int, *, is_sure: bool) -> None:
        """Report that the hold may have changed in a partition.

        Unless `is_sure`, this is one of many turns that fail at once: the first one of them is enough.
        """
        if is_sure or (name, partition) not in self._known or self._clock() >= self._known_until:
            self._names.add(name)
            self._has_news.set()

    def wait(self, seconds: float) -> bool:
        """Wait for news; return false if there are none after this time."""
        return self._has_news.wait(seconds) or bool(self._names)

    def take(self) -> Set[str]:
        """Return the reported names, and forget them."""
        self._has_news.clear()
        names, self._names = self._names, set()
        return names

    def give_back(self, names: Set[str]) -> None:
        """Keep names for the next round, because this one could not record them. This does not end a wait."""
        self._names |= names

    def know(self, held: Iterable[tuple[str, int]]) -> None:
        """Set the holds, each with its partition, of which another failure is no news for a while."""
        self._known = frozenset(held)
        self._known_until = self._clock() + KNOWN_SECONDS
