"""The event stream of a turn: what its readers see while an answer is being written.

An entry's id is `<claim number>-<n>`, both rising, so a reader's place says which run it has seen, and how far.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

EVENT_ID = re.compile(r"[0-9]{1,10}-[0-9]{1,10}")
START = "0-0"  # before every entry


class EventType(StrEnum):
    STATUS = "status"  # the turn has another status; `text` is that
    DELTA = "delta"  # a piece of the answer; `text` is that
    RESET = "reset"  # the run has ended without effect, and its text is void; `text` says by which transition
    DONE = "done"  # the turn has ended; `text` is its status


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEvent:
    """One entry."""

    id: str
    attempt: int
    type: EventType
    text: str

    @classmethod
    def from_entry(cls, entry_id: bytes, fields: Mapping[bytes, bytes]) -> Self:
        """From the stream."""
        return cls(
            id=entry_id.decode(),
            attempt=int(fields[b"attempt"]),
            type=EventType(fields[b"type"].decode()),
            text=fields[b"text"].decode(),
        )

    @classmethod
    def from_message(cls, message: bytes) -> Self:
        """From the channel: `<id> <attempt> <type> <text>`, as `emit` in `prelude.lua` publishes it."""
        entry_id, attempt, event_type, text = message.decode().split(" ", 3)
        return cls(id=entry_id, attempt=int(attempt), type=EventType(event_type), text=text)


def place(event_id: str) -> tuple[int, int]:
    """What ids compare by."""
    claim, n = event_id.split("-")
    return int(claim), int(n)
