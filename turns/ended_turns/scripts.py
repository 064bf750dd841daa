"""The Lua script of the feed as a typed method."""

from collections.abc import Sequence

from turns.backend.script_loader import FEED_VERBS
from turns.backend.script_replies import TurnSnapshot
from turns.backend.script_runner import ScriptRunner


class FeedScripts(ScriptRunner):
    verbs = FEED_VERBS

    def list_ended(
        self, *, tenant: str, after: int, limit: int, max_reads: int
    ) -> tuple[int, bool, bool, Sequence[TurnSnapshot]]:
        """Return the cursor, whether there are more turns, whether some are no longer listed, and the turns."""
        _, cursor, more, gap, turns = self._run("list_ended", tenant, after, limit, max_reads)
        found = [TurnSnapshot.from_reply(turn.decode(), record) for turn, *record in turns]
        return int(cursor), more == b"1", gap == b"1", found
