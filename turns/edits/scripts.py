"""The Lua scripts that change what a session has committed, as typed methods, one for each verb."""

from turns.backend.script_loader import EDIT_VERBS
from turns.backend.script_replies import Reply, SessionSnapshot
from turns.backend.script_runner import ScriptRunner


class EditScripts(ScriptRunner):
    verbs = EDIT_VERBS

    def fork(
        self,
        session: str,
        *,
        session_id: str,
        user_id: str,
        source: str,
        how: str,
        turn_id: str,
        version: str,
        count: int | None,
        files: str,
    ) -> tuple[Reply, SessionSnapshot | None, int]:
        """Return the outcome and the session; if refused, None and the time (ms) until a retry makes sense, or 0.

        `version`, `count` and `files` are those of the copy; if histories are lists, a random token, None and ''.
        """
        length = "" if count is None else count
        outcome, *reply = self._run("fork", session, session_id, user_id, source, how, turn_id, version, length, files)
        if Reply(outcome) in {Reply.FORKED, Reply.REPLAYED}:
            return Reply(outcome), SessionSnapshot.from_reply(reply[0]), 0
        return Reply(outcome), None, reply[0] if reply else 0

    def delete_turn(self, turn_id: str, *, tenant: str, version: str, count: int | None) -> Reply:
        """Return REMOVED, GONE, SESSION_BUSY, NOT_LAST or LOST; `version` and `count` are as for `fork`."""
        return self._outcome("delete_turn", turn_id, tenant, version, "" if count is None else count)
