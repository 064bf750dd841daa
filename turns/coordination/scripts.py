"""The Lua scripts that bring to a partition what others know, as typed methods, one for each verb."""

from collections.abc import Mapping

from turns.backend.script_loader import HOLD_VERBS, SLOT_VERBS
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


class SlotScripts(ScriptRunner):
    verbs = SLOT_VERBS

    def get_slots(self, assistant: str) -> tuple[str, int, int, int, str]:
        """Return the given slots as stored, turns with a slot, turns without, ms of the longest wait, its limit."""
        _, given, used, waiting, waited_ms, concurrency = self._run("get_slots", assistant)
        return given.decode(), used, waiting, waited_ms, concurrency.decode()

    def set_slots(self, assistant: str, *, given: str, slots: int, concurrency: int) -> int | None:
        """Return the number of turns that occupied a slot, or None if the partition has other slots than `given`."""
        outcome, *reply = self._run("set_slots", assistant, given, slots, concurrency)
        return reply[0] if Reply(outcome) is Reply.RECORDED else None
