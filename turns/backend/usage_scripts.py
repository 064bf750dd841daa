"""The Lua script of usage as a typed method."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from turns.backend.script_loader import USAGE_VERBS
from turns.backend.script_replies import Reply
from turns.backend.script_runner import ScriptRunner


@dataclass(frozen=True, slots=True)
class SumsToStore:
    """Rows of a hash of usage, and the time at which the hash expires."""

    key: str
    expires_at_ms: int
    rows: Mapping[str, str]


class UsageScripts(ScriptRunner):
    verbs = USAGE_VERBS

    def forget_user(self, key: str, rows: Mapping[str, str]) -> int:
        """Add each row to its row without a user, and remove it; return the number of rows that were there."""
        pairs = [part for pair in rows.items() for part in pair]
        _, forgotten = self._run("forget_user", self._client.stored_name(key), *pairs)
        return int(forgotten)

    def fold_usage(
        self, folds: str, entries: int, *, counters: Mapping[str, int], hashes: Iterable[SumsToStore]
    ) -> Reply:
        """Return FOLDED, or LOST if there were other folds than these before."""
        counted = [part for pair in counters.items() for part in pair]
        stored: list[str | int] = []
        for one in hashes:
            rows = [part for pair in one.rows.items() for part in pair]
            stored += [self._client.stored_name(one.key), one.expires_at_ms, len(rows), *rows]
        return self._outcome("fold_usage", folds, entries, len(counted), *counted, *stored)
