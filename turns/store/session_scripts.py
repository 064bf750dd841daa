"""The Lua scripts of the session resource as typed methods, one for each verb."""

from collections.abc import Sequence

from turns.backend.script_loader import SESSION_VERBS
from turns.backend.script_replies import Reply, SessionSnapshot
from turns.backend.script_runner import ScriptRunner


class SessionScripts(ScriptRunner):
    verbs = SESSION_VERBS

    def patch_session(
        self, session: str, *, session_id: str, user_id: str, version: int | None, changes: str, max_labels: int
    ) -> tuple[Reply, SessionSnapshot | None]:
        """Return FOUND and the session, or GONE, SESSION_CHANGED or TOO_MANY; `changes` is a JSON object."""
        required = "" if version is None else version
        outcome, *reply = self._run("patch_session", session, session_id, user_id, required, changes, max_labels)
        return Reply(outcome), SessionSnapshot.from_reply(reply[0]) if reply else None

    def list_user_sessions(
        self, *, tenant: str, user: str, after: str, active_at: str, limit: int, max_names: int
    ) -> tuple[tuple[str, str], Sequence[SessionSnapshot]]:
        """Return the cursor and the sessions like `Scripts.list_sessions`; `user` is `<tenant>/<user>`."""
        args = (tenant, user, after, active_at, limit, max_names)
        _, (last, at), sessions = self._run("list_user_sessions", *args)
        at = at.decode() if isinstance(at, bytes) else str(at)
        return (last.decode(), at), [SessionSnapshot.from_reply(reply) for reply in sessions]

    def prune_sessions(self, tenant: str, *, first: int, limit: int) -> tuple[int, int]:
        """Return the position from which on to continue, -1 at the end, and the number of removed entries."""
        _, following, pruned = self._run("prune_sessions", tenant, first, limit)
        return int(following), int(pruned)
