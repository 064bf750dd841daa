"""The record of a turn as the store keeps it after the turn's end: packed, for a third less memory.

`write_ended_record` in Lua packs it, `to_turn_record` unpacks it, and the worker of a turn compresses its texts.
Records of earlier releases, which are not packed, are read as they are.
"""

from turns.backend.record.packed import compress_texts, to_turn_record
from turns.backend.record.reading import read_turn_records

__all__ = ["compress_texts", "read_turn_records", "to_turn_record"]
