"""The Lua scripts that bring to a partition what others know, as typed methods, one for each verb."""

from collections.abc import Mapping

from turns.backend.script_loader import HOLD_VERBS
from turns.backend.script_replies import Reply, to_record
from turns.backend.script_runner import ScriptRunner

Numbers = tuple[int, int, int, int]


class HoldScripts(ScriptRunner):
    verbs = HOLD_VERBS

    def get_hold(self, name: str) -> tuple[Numbers, Mapping[str, str]] | None:
        """Return the hold: its first four numbers as the script returns them, and its fields; None without one."""
        outcome, *reply = self._run("get_hold", name)
        if Reply(outcome) is Reply.GONE:
            return None
        remaining_ms, held, waited_ms, probing, fields = reply
        return (remaining_ms, held, waited_ms, probing), to_record(fields)

    def share_hold(
        self,
        name: str,
        *,
        until: str,
        answered_at: str,
        act: str,
        remaining_ms: int,
        leader: int,
        fields: Mapping[str, str],
    ) -> Reply:
        """Return RECORDED, or LOST if the hold here is not the one with this `until` and `answered_at` any more."""
        known = (fields.get(field, "") for field in ("reason", "code", "since", "step"))
        return self._outcome("share_hold", name, until, answered_at, act, remaining_ms, leader, *known)
