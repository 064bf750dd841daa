"""The form of a packed record: what `write_ended_record` in Lua writes, as fields by name."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from turns.domain.assistant import DEFAULT
from turns.domain.ids import session_ids

# Times after the acceptance of a turn (ms), in place of those since the epoch, which have 13 digits.
SHORT_TIMES: Final = MappingProxyType(
    {f"{name}_at": f"{name}_after" for name in ("hinted", "started", "first_token", "finished", "expires")}
)
# Values that are not stored: nearly each ended turn has them, and all readers need them.
USUAL_VALUES: Final = MappingProxyType(
    {"attempt": "1", "claims": "1", "sequence": "1", "assistant": DEFAULT.name, "variables": "{}"}
)

# Names of fields whose values are short and without line breaks. Stored records contain the codes, so a name keeps its
# code for ever, and new names go to the end.
_NAMES = (
    *("session_id", "user_id", "sequence", "claims", "token", "attempt", "accepted_at", "hinted_at", "started_at"),
    *("first_token_at", "finished_at", "expires_at", "worker", "assistant", "model", "variables", "usage", "text_end"),
    *("status_reason", "error_code", "provider_status", "provider_request_id", "request_id", "key_id", "traceparent"),
    *("retry_of", "lane", "queue", "own_model", "provider", "provider_host", "window", "retried_token"),
    *SHORT_TIMES.values(),
)
_CODES = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
FIELD_CODES: Final = MappingProxyType(dict(zip(_NAMES, _CODES, strict=False)))
FIELD_NAMES: Final = MappingProxyType({code: name for name, code in FIELD_CODES.items()})

# Redis keeps a hash of at most 128 fields, none of which has more than 64 bytes, as one block. In any other one, each
# field takes 60 bytes more. Values are stored in pieces therefore: one of 63 bytes needs two more, a longer one three.
PIECE_BYTES = 63
PACKED_FIELDS: Final = ("packed", *(f"p{number}" for number in range(2, 9)))
TEXT_FIELDS: Final = ("texts", *(str(number) for number in range(2, 33)))

MAX_PLAIN_BYTES = 64  # a longer text, as one field, would end the block
# The lowest level takes 12 µs for 700 bytes of English, and higher ones make that hardly shorter. Without a header.
_LEVEL, _RAW = 1, -15


def to_turn_record(reply: Iterable[bytes] | Mapping[bytes, bytes]) -> dict[str, str]:
    """Return the fields of a turn's record from a flat reply (name, value, …) or from a map, as `to_record` does."""
    parts = iter(reply)
    stored = dict(reply) if isinstance(reply, Mapping) else dict(zip(parts, parts, strict=True))
    packed, texts = _pop_pieces(stored, _PACKED_PIECES), _pop_pieces(stored, _TEXT_PIECES)
    record = {name.decode(): value.decode() for name, value in stored.items()}
    if packed:
        record = unpack(packed.decode(), record)
    if texts:
        record["input"], record["output"] = decompress_texts(texts)
    return record


def unpack(packed: str, beside: Mapping[str, str]) -> dict[str, str]:
    """Return the fields of a record, of which some are packed as lines of code, value, code, value.

    A field beside the packed ones wins, because it has been changed after the end of the turn.
    """
    lines = packed.split("\n")
    record = {FIELD_NAMES.get(code, code): value for code, value in zip(lines[::2], lines[1::2], strict=True)}
    for name, short in SHORT_TIMES.items():
        if short in record:
            record[name] = str(int(record["accepted_at"]) + int(record.pop(short)))
    record = {**USUAL_VALUES, **record, **beside}
    if "session" in record:
        session_id, user_id = session_ids(record["session"])
        record.setdefault("session_id", session_id)
        if user_id is not None:
            record.setdefault("user_id", user_id)
    return record


def compress_texts(question: str, answer: str) -> bytes | None:
    """Return the compressed texts of a record, or None if they are too short for that."""
    if max(len(question.encode()), len(answer.encode())) <= MAX_PLAIN_BYTES:
        return None
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW)
    return compressor.compress(f"{len(question)}\n{question}{answer}".encode()) + compressor.flush()


def decompress_texts(compressed: bytes) -> tuple[str, str]:
    """Return question and answer."""
    length, _, texts = zlib.decompress(compressed, _RAW).decode().partition("\n")
    return texts[: int(length)], texts[int(length) :]


_PACKED_PIECES, _TEXT_PIECES = ([name.encode() for name in names] for names in (PACKED_FIELDS, TEXT_FIELDS))


def _pop_pieces(stored: dict[bytes, bytes], names: Sequence[bytes]) -> bytes:
    """Remove a value that is stored in pieces, or in one, and return it; empty without one."""
    pieces = []
    for name in names:
        if name not in stored:
            break
        pieces.append(stored.pop(name))
    return b"".join(pieces)
