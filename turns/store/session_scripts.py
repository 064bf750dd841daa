"""The Lua scripts of sessions as typed methods, one for each verb."""

from collections.abc import Sequence

from turns.backend.script_loader import SESSION_VERBS
from turns.backend.script_replies import Reply, SessionSnapshot
from turns.backend.script_runner import ScriptRunner


class SessionScripts(ScriptRunner):
    verbs = SESSION_VERBS

    def get_session(self, session: str) -> SessionSnapshot | None:
        """Return the session, or None if there is no such session."""
        outcome, *reply = self._run("get_session", session)
        return SessionSnapshot.from_reply(reply[0]) if Reply(outcome) is Reply.FOUND else None

    def list_sessions(
        self, *, tenant: str, after: str, active_at: str, limit: int
    ) -> tuple[tuple[str, str], Sequence[SessionSnapshot]]:
        """Return the cursor (a session and its time, both '' on the last page) and the sessions."""
        _, (last, at), sessions = self._run("list_sessions", tenant, after, active_at, limit)
        return (last.decode(), at.decode()), [SessionSnapshot.from_reply(reply) for reply in sessions]

    def import_messages(
        self,
        session: str,
        *,
        session_id: str,
        user_id: str,
        digest: str,
        count: int,
        version: str,
        text: str,
    ) -> tuple[Reply, SessionSnapshot | None, int]:
        """Return the outcome and the session; if refused, None and the time (ms) until a retry makes sense, or 0."""
        outcome, *reply = self._run("import_messages", session, session_id, user_id, digest, count, version, text)
        if Reply(outcome) in {Reply.IMPORTED, Reply.REPLAYED}:
            return Reply(outcome), SessionSnapshot.from_reply(reply[0]), 0
        return Reply(outcome), None, reply[0] if reply else 0

    def erase(self, session: str, *, max_turns: int) -> Reply:
        """Return ERASED, or MORE if the script must be called again."""
        return self._outcome("erase", session, max_turns)

    def adopt(self, session: str, adopted: str, *, version: str) -> Reply:
        """Return ADOPTED, GONE, SESSION_BUSY, NOT_EMPTY or LOST. `adopted` is the name in the other tenant."""
        return self._outcome("adopt", session, adopted, version)

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
        """Return the cursor and the sessions like `list_sessions`; `user` is `<tenant>/<user>`."""
        args = (tenant, user, after, active_at, limit, max_names)
        _, (last, at), sessions = self._run("list_user_sessions", *args)
        at = at.decode() if isinstance(at, bytes) else str(at)
        return (last.decode(), at), [SessionSnapshot.from_reply(reply) for reply in sessions]

    def prune_sessions(self, tenant: str, *, first: int, limit: int) -> tuple[int, int]:
        """Return the position from which on to continue, -1 at the end, and the number of removed entries."""
        _, following, pruned = self._run("prune_sessions", tenant, first, limit)
        return int(following), int(pruned)
