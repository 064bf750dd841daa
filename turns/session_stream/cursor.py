"""The position of a reader in the events of a session; as text it is the id of an event."""

import re
from dataclasses import dataclass
from typing import Self

from turns.domain.events import START, TurnEvent, event_sort_key
from turns.domain.ids import TURN_ID

BEFORE_ALL = "-"  # instead of a turn: before the first turn of the session
END = "end"  # instead of an entry: after the last event of the turn
CURSOR = re.compile(rf"([0-9]{{1,15}})\.([0-9]{{1,15}})\.(-|{TURN_ID.pattern})\.({END}|[0-9]{{1,10}}-[0-9]{{1,10}})")


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamCursor:
    """`<known>.<changes>.<turn id>.<entry id>`: all events before this entry of this turn have been seen.

    The turns of a session run one after another, so no event of an earlier turn follows. `known` is the sequence number
    of the last turn that the reader knows, `changes` counts the changes of the session as `session_version.lua` does.
    """

    known: int
    changes: int
    turn_id: str
    entry_id: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse an event id that `CURSOR` matches."""
        known, changes, turn_id, entry_id = text.split(".")
        return cls(known=int(known), changes=int(changes), turn_id=turn_id, entry_id=entry_id)

    def __str__(self) -> str:
        return f"{self.known}.{self.changes}.{self.turn_id}.{self.entry_id}"

    def entry_in(self, turn_id: str) -> str:
        """Return the last entry that was seen of a turn which has not been seen to its end."""
        return self.entry_id if turn_id == self.turn_id else START

    def has_seen(self, turn_id: str, event: TurnEvent) -> bool:
        """Return whether the event is not after the cursor in its turn."""
        if self.is_at_end_of(turn_id):
            return True
        return event_sort_key(event.id) <= event_sort_key(self.entry_in(turn_id))

    def is_at_end_of(self, turn_id: str) -> bool:
        return turn_id == self.turn_id and self.entry_id == END


NEW_READER = StreamCursor(known=0, changes=0, turn_id="", entry_id="")  # it has seen nothing and begins with a snapshot
