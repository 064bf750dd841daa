"""The Lua scripts of usage as typed methods, one for each verb."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from turns.backend.script_loader import USAGE_VERBS
from turns.backend.script_replies import Reply
from turns.backend.script_runner import ScriptRunner, flatten


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
        _, forgotten = self._run("forget_user", self._client.stored_name(key), *flatten(rows))
        return int(forgotten)

    def fold_usage(
        self, folds: str, entries: int, *, counters: Mapping[str, int], hashes: Iterable[SumsToStore]
    ) -> Reply:
        """Return FOLDED, or LOST if there were other folds than these before."""
        counted = flatten(counters)
        stored: list[str | int] = []
        for one in hashes:
            rows = flatten(one.rows)
            stored += [self._client.stored_name(one.key), one.expires_at_ms, len(rows), *rows]
        return self._outcome("fold_usage", folds, entries, len(counted), *counted, *stored)
