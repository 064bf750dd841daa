"""The Lua scripts of session streams as typed methods, one for each verb."""

from collections.abc import Sequence

from turns.backend.script_loader import STREAM_VERBS
from turns.backend.script_replies import Reply, SessionSnapshot, TurnSnapshot
from turns.backend.script_runner import ScriptRunner

StreamReply = tuple[SessionSnapshot, int, int, int | None, Sequence[TurnSnapshot]]


class StreamScripts(ScriptRunner):
    verbs = STREAM_VERBS

    def read_session_stream(self, session: str, *, turn_id: str, known: int, max_turns: int) -> StreamReply | None:
        """Return the session, its last sequence number, changes, the position and turns; None without a session."""
        outcome, *reply = self._run("read_session_stream", session, turn_id, known, max_turns)
        if Reply(outcome) is Reply.GONE:
            return None
        found, sequence, changes, position, turns = reply
        snapshots = [TurnSnapshot.from_reply(turn.decode(), record) for turn, *record in turns]
        return (
            SessionSnapshot.from_reply(found),
            int(sequence),
            int(changes),
            int(position) if position else None,
            snapshots,
        )

    def watch_sessions(self, *, ms: int) -> None:
        """Let new turns be published for this time."""
        self._outcome("watch_sessions", ms)
