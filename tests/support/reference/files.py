"""The uploaded files of the reference model, and what refers to them."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class ReferenceFiles:
    kept: set[str] = field(default_factory=set)
    asked: dict[str, Sequence[str]] = field(default_factory=dict)  # the files of a turn's question, by turn
    of_turns: dict[str, list[str]] = field(default_factory=dict)  # and those of its answer, while it has a record
    of_messages: dict[str, tuple[Sequence[str], Sequence[str]]] = field(default_factory=dict)  # question, answer
    of_sessions: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def accept(self, turn_id: str, files: Sequence[str]) -> None:
        self.asked[turn_id] = files
        self.of_turns[turn_id] = [*files]

    def commit(self, turn_id: str, session: str | None, drawn: Sequence[str], *, replaces: str | None) -> None:
        """Let the session refer to the files of a turn's messages, and no longer to those that they replace.

        A turn that stands alone has no session.
        """
        self.of_turns.setdefault(turn_id, []).extend(drawn)
        self.of_messages[turn_id] = self.asked[turn_id], drawn
        if session:
            self.of_sessions[session].update(self.of_turns[turn_id])
        if session and replaces:
            self.uncommit(replaces, session)

    def uncommit(self, turn_id: str, session: str) -> None:
        files = self.of_sessions[session]
        files.subtract(self.of_turns.get(turn_id, ()))
        self.of_sessions[session] = +files

    def fork(self, target: str, history: Sequence[str]) -> None:
        """Let the fork refer to the files of the messages of these committed turns."""
        for turn_id in history:
            for files in self.of_messages.get(turn_id, ()):
                self.of_sessions[target].update(files)

    def forget_turn(self, turn_id: str) -> None:
        self.of_turns.pop(turn_id, None)

    def holders(self, file_id: str) -> set[str]:
        turns = {f"t/{turn_id}" for turn_id, files in self.of_turns.items() if file_id in files}
        return turns | {f"s/{session}" for session, files in self.of_sessions.items() if file_id in files}

    def sweep(self) -> int:
        """Delete the files to which nothing refers, and return their number."""
        before = len(self.kept)
        self.kept = {file_id for file_id in self.kept if self.holders(file_id)}
        return before - len(self.kept)
