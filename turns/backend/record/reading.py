"""Read some fields of many turns at once, of live and of ended ones."""

from collections.abc import Sequence

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.record.packed import PACKED_FIELDS, unpack


def read_turn_records(client: Client, turn_ids: Sequence[str], fields: Sequence[str]) -> list[dict[str, str]]:
    """Return these fields of each turn's record, without those that it does not have.

    `input` and `output` are not among those that can be read. A turn without a record has no fields.
    """
    found = client.read_hashes([keys.TURN(turn_id) for turn_id in turn_ids], [*fields, "session", *PACKED_FIELDS])
    return [_unpacked(record, fields) for record in found]


def _unpacked(record: dict[str, str], fields: Sequence[str]) -> dict[str, str]:
    if "packed" in record:
        packed = "".join(record.pop(name, "") for name in PACKED_FIELDS)
        record = unpack(packed, record)
    return {name: value for name, value in record.items() if name in fields}
