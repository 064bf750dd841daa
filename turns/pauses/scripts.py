"""The Lua scripts of pauses, as typed methods, one for each verb."""

from turns.backend.script_loader import PAUSE_VERBS, to_ms
from turns.backend.script_replies import Reply
from turns.backend.script_runner import ScriptRunner


class PauseScripts(ScriptRunner):
    verbs = PAUSE_VERBS

    def pause(self, part: str, *, by: str, reason: str, seconds: float | None) -> Reply:
        """Return PAUSED or TOO_MANY; without `seconds` the pause lasts until it is resumed."""
        return self._outcome("pause", part, by, reason, "" if seconds is None else to_ms(seconds))

    def resume(self, part: str) -> Reply:
        """Return RESUMED or GONE."""
        return self._outcome("resume", part)
