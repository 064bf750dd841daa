"""A small pure model of histories: what each session has committed, and how that is edited."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.support.reference.files import ReferenceFiles
from tests.support.reference.turn import ReferenceTurn


@dataclass
class ReferenceHistories:
    turns: dict[str, ReferenceTurn]
    queues: dict[str, list[str]]
    files: ReferenceFiles
    committed: dict[str, list[str]] = field(
        default_factory=dict
    )  # ids of turns by session, after the name of an import
    forks: dict[str, tuple[str, str, bool]] = field(default_factory=dict)  # session, turn, and whether it is left out
    unanswered: dict[str, list[str]] = field(default_factory=dict)  # the last turns of a session that ended without one

    def check_last(self, turn_id: str) -> str:
        """Return in words whether a turn is the last one in the history of its session."""
        turn = self.turns[turn_id]
        history = self.committed.get(turn.session, [])
        if turn.erased:
            return "not found"
        if turn_id not in history:
            return "not committed"
        return "last" if history[-1] == turn_id else "not last"

    def fork(self, source: str, target: str, *, turn_id: str, before: bool, has_turn: bool = False) -> str:
        """Copy the messages of a session up to a turn to an empty one, and return the result in words.

        `has_turn`: for a new turn in it, which is accepted with the copy or not at all.
        """
        if self.forks.get(target) == (source, turn_id, before) and not has_turn:
            return "replayed"
        turn, history = self.turns[turn_id], self.committed.get(source, [])
        if turn.erased or turn.session != source:
            return "not found"
        if turn_id not in history:
            return "not committed"
        if self.committed.get(target) or self.queues.get(target):
            return "not empty"
        self.committed[target] = history[: history.index(turn_id) + (not before)]
        self.forks[target] = (source, turn_id, before)
        self.files.fork(target, self.committed[target])
        return "forked"

    def delete(self, turn_id: str) -> str:
        """Delete an ended turn with its messages, and return the result in words."""
        turn = self.turns[turn_id]
        if turn.erased:
            return "deleted" if turn.deleted else "not found"
        if self.queues.get(turn.session):
            return "busy"
        if self.check_last(turn_id) == "not last":
            return "not last"
        history = self.committed.get(turn.session, [])
        if turn_id in history:
            self.files.uncommit(turn_id, turn.session)
        self.files.forget_turn(turn_id)
        self.committed[turn.session] = [other for other in history if other != turn_id]
        turn.erased = turn.deleted = True
        self._forget_unanswered(turn_id)
        return "deleted"

    def visible(self, turn_id: str) -> list[str]:
        """Return the turns that a turn sees: all committed ones, without the one that it replaces."""
        turn = self.turns[turn_id]
        return [other for other in self.committed.get(turn.session, []) if other != turn.replaces]

    def import_messages(self, session: str, name: str) -> str:
        """Import messages, for which `name` stands, and return the result in words."""
        history = self.committed.get(session, [])
        if history[:1] == [name]:
            return "replayed"
        if history:
            return "not empty"
        if self.queues.get(session):
            return "busy"
        self.committed[session] = [name]
        return "imported"

    def write(self, turn_id: str, drawn: Sequence[str] = ()) -> None:
        """Commit the messages of a turn, with the images that it has drawn."""
        turn = self.turns[turn_id]
        if not turn.stands_alone:
            self.committed[turn.session] = [*self.visible(turn_id), turn_id]
        self.files.commit(turn_id, None if turn.stands_alone else turn.session, drawn, replaces=turn.replaces)

    def _forget_unanswered(self, turn_id: str) -> None:
        kept = self.unanswered.get(self.turns[turn_id].session, [])
        if turn_id in kept:
            kept.remove(turn_id)
