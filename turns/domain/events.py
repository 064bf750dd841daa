"""The event stream of a turn, from which clients read an answer while it is generated.

The id of an entry is `<claim number>-<n>`, and both numbers increase, so a reader's cursor contains the run and the
position in it. For a delta, n is the number of its last character in the run. Therefore the stream of a turn that ends
with an answer is deleted: `folded_events` derives the same events, with its text as one delta, from any cursor.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

EVENT_ID = re.compile(r"[0-9]{1,10}-[0-9]{1,10}")
START = "0-0"  # the cursor before the first entry


class EventType(StrEnum):
    STATUS = "status"  # the status has changed; `text` is the new status
    DELTA = "delta"  # `text` is the next piece of the answer
    REASONING = "reasoning"  # `text` is the next piece of the model's reasoning
    TOOL = "tool"  # a tool has started or ended; `text` is a JSON object
    DATA = "data"  # `text` is a JSON object with the name and the value that a custom chain has sent
    RESET = "reset"  # the run has ended without effect, and its text is void; `text` is the transition
    DONE = "done"  # the turn has ended; `text` is its final status


class ToolState(StrEnum):
    STARTED = "started"
    FINISHED = "finished"
    FAILED = "failed"


TYPES = frozenset(EventType)

MAX_EVENT_BYTES = 16_384  # of one `data` event
MAX_OUTPUT_EVENTS = 1000  # `tool` and `data` events of one run


@dataclass(frozen=True, slots=True)
class OutputEvent:
    """A part of a run's output: text of the answer, or an event beside it."""

    type: EventType
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEvent:
    """One entry of the stream."""

    id: str
    attempt: int
    type: EventType
    text: str

    @classmethod
    def from_entry(cls, entry_id: bytes, fields: Mapping[bytes, bytes]) -> Self | None:
        """Parse an entry that was read from the stream; None for a type that a newer release has written."""
        event_type = fields[b"type"].decode()
        if event_type not in TYPES:
            return None
        return cls(
            id=entry_id.decode(),
            attempt=int(fields[b"attempt"]),
            type=EventType(event_type),
            text=fields[b"text"].decode(),
        )

    @classmethod
    def from_message(cls, message: bytes) -> Self | None:
        """Parse a message that `append_event.lua` has published; None as above."""
        _, _, entry_id, attempt, event_type, text = message.decode().split(" ", 5)
        if event_type not in TYPES:
            return None
        return cls(id=entry_id, attempt=int(attempt), type=EventType(event_type), text=text)


class SessionChange(StrEnum):
    """A change of a session that is not an event of a turn's stream."""

    ACCEPTED = "accepted"  # `number` is the sequence number of the turn
    MESSAGE_DELETED = "message.deleted"  # the messages of a turn; `number` counts the changes of the session
    UPDATED = "updated"  # its title or another field; `number` as above
    ERASED = "erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionMessage:
    """A message to the readers of a session: a change, or an event of one of its turns.

    `number` is the sequence number of the turn, except for the changes. Both `change` and `event` are None for a type
    of a newer release.
    """

    turn_id: str
    number: int
    change: SessionChange | None
    event: TurnEvent | None

    @classmethod
    def from_message(cls, message: bytes) -> Self:
        """Parse a message that `append_event.lua` or `publish_session_change.lua` has published."""
        turn_id, number, _, _, change, _ = message.decode().split(" ", 5)
        return cls(
            turn_id=turn_id,
            number=int(number),
            change=SessionChange(change) if change in CHANGES else None,
            event=TurnEvent.from_message(message),
        )


CHANGES = frozenset(SessionChange)


def event_sort_key(event_id: str) -> tuple[int, int]:
    """Return the numbers of an id, which sort in the order of the stream."""
    claim, n = event_id.split("-")
    return int(claim), int(n)
