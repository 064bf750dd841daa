"""Read several partitions at once, without those that are away."""

import time
from collections.abc import Callable, Iterable, Mapping, Set
from typing import TypeVar

from turns.backend.partition.each import attempt_each
from turns.backend.partition.missing import report_missing
from turns.config.logs import Log, get_logger
from turns.domain.errors import StoreUnavailable

T = TypeVar("T")
AWAY_SECONDS = 2.0  # a partition that did not answer is left out this long; then one reader tries it again


class PartitionReads:
    """Remembers which partitions have not answered, so that few readers wait for them. For many threads."""

    def __init__(self) -> None:
        self._clock = time.monotonic
        self._away_until: dict[int, float] = {}

    def count_away(self) -> int:
        """Return the number of partitions that have not answered lately."""
        now = self._clock()
        return sum(until > now for until in [*self._away_until.values()])

    def read(
        self, calls: Mapping[int, Callable[[], T]], *, required: Set[int] = frozenset(), may_be_empty: bool = False
    ) -> dict[int, T]:
        """Return the results of these calls by partition, in order, and report those that are left out as missing.

        Raises `StoreUnavailable` if a required partition is away, or all are, unless the result `may_be_empty`.
        """
        asked = [number for number in sorted(calls) if number in required or self._is_due(number)]
        outcomes = dict(zip(asked, attempt_each([calls[number] for number in asked]), strict=True))
        away = {number: outcome for number, outcome in outcomes.items() if isinstance(outcome, StoreUnavailable)}
        results = {n: outcome for n, outcome in outcomes.items() if not isinstance(outcome, StoreUnavailable)}
        self._note(results, away)
        if problem := next((error for number, error in away.items() if number in required), None):
            raise problem
        if not results and calls and not may_be_empty:
            raise StoreUnavailable(f"partitions of the store are away: {', '.join(map(str, sorted(calls)))}")
        report_missing(calls.keys() - results.keys())
        return results

    def _note(self, here: Iterable[int], away: Mapping[int, StoreUnavailable]) -> None:
        if new := [number for number in away if number not in self._away_until]:
            names = ", ".join(map(str, new))
            get_logger().warning(Log.STORE_UNAVAILABLE, error=f"partitions away: {names}; {away[new[0]]}")
        for number in here:
            self._away_until.pop(number, None)
        self._away_until |= dict.fromkeys(away, self._clock() + AWAY_SECONDS)

    def _is_due(self, number: int) -> bool:
        """Return whether to ask a partition; one of many readers asks a partition that was away."""
        until = self._away_until.get(number)
        if until is None:
            return True
        now = self._clock()
        if until > now:
            return False
        self._away_until[number] = now + AWAY_SECONDS
        return True
