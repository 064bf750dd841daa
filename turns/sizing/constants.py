"""The measured constants of the calculator, each with its source."""

from dataclasses import dataclass
from typing import Final

MEMORY_ROW = "python -m bench memory"
STORE_LIMIT = "docs/operate/capacity.md, Store"


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    value: float
    unit: str
    meaning: str
    source: str


LIVE: Final = Constant(value=1500, unit="bytes", meaning="a live turn, without its question", source=MEMORY_ROW)
EVENTS: Final = Constant(value=4400, unit="bytes", meaning="a kept event stream, at least", source=MEMORY_ROW)
RECORD: Final = Constant(
    value=580,
    unit="bytes",
    meaning="the record of a finished turn with its places in lists, without its text",
    source=MEMORY_ROW,
)
COMPRESSED: Final = Constant(
    value=0.6, unit="", meaning="compressed bytes of a record for each byte of its text", source=MEMORY_ROW
)
MIN_COMPRESSED: Final = Constant(value=256, unit="bytes", meaning="text that gets shorter, at least", source=MEMORY_ROW)
MESSAGES: Final = Constant(
    value=150, unit="bytes", meaning="the messages of a turn, without their text", source=MEMORY_ROW
)
SESSION: Final = Constant(value=330, unit="bytes", meaning="a session with its places in lists", source=MEMORY_ROW)
ALLOCATED: Final = Constant(
    value=1.05, unit="", meaning="memory for each byte of text, as the allocator rounds it up", source=MEMORY_ROW
)
POLLED: Final = Constant(value=400, unit="µs", meaning="CPU of the store for a polled turn", source=STORE_LIMIT)
PIECE: Final = Constant(value=11.5, unit="µs", meaning="CPU of the store for a piece of a stream", source=STORE_LIMIT)
PIECES: Final = Constant(
    value=20,
    unit="1/s",
    meaning="pieces of a stream, at most",
    source="FLUSH_SECONDS in worker/run/output/event_buffer.py",
)
WORD: Final = Constant(
    value=6, unit="bytes", meaning="a word of an answer, at least one of which is in a piece", source="English text"
)
BUSY: Final = Constant(
    value=0.7,
    unit="",
    meaning="share of the slots and of a core to use, which leaves room for peaks",
    source="docs/operate/capacity.md, Workers",
)
RESERVE: Final = Constant(
    value=1.5, unit="", meaning="maxmemory for each byte of data", source="docs/operate/capacity.md, Memory"
)
MESSAGE_FRAME: Final = Constant(
    value=250, unit="bytes", meaning="what an event or a response has beside its text", source="the examples at /docs"
)
COMMANDS: Final = Constant(
    value=4000,
    unit="bytes",
    meaning="commands and replies of a turn on the network, without text and pieces",
    source="arguments and replies of accept, claim, commit and get_turn",
)

ALL: Final = {name.lower(): constant for name, constant in list(globals().items()) if isinstance(constant, Constant)}
