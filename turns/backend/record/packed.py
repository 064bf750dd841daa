"""The form of a packed record: what `write_ended_record` in Lua writes, as fields by name."""

import zlib
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

# Names of fields whose values are short and without line breaks. Stored records contain the codes, so a name keeps its
# code for ever, and new names go to the end.
_NAMES = (
    *("session_id", "user_id", "sequence", "claims", "token", "attempt", "accepted_at", "hinted_at", "started_at"),
    *("first_token_at", "finished_at", "expires_at", "worker", "assistant", "model", "variables", "usage", "text_end"),
    *("status_reason", "error_code", "provider_status", "provider_request_id", "request_id", "key_id", "traceparent"),
    *("retry_of", "lane", "queue", "own_model", "provider", "provider_host", "window", "retried_token"),
)
_CODES = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
FIELD_CODES: Final = MappingProxyType(dict(zip(_NAMES, _CODES, strict=False)))
FIELD_NAMES: Final = MappingProxyType({code: name for name, code in FIELD_CODES.items()})

MIN_COMPRESSED_BYTES = 256  # shorter texts do not get shorter by what the compression costs
# The lowest level takes 12 µs for 700 bytes of English, and higher ones make that hardly shorter. Without a header.
_LEVEL, _RAW = 1, -15


def to_turn_record(reply: Iterable[bytes] | Mapping[bytes, bytes]) -> dict[str, str]:
    """Return the fields of a turn's record from a flat reply (name, value, …) or from a map, as `to_record` does."""
    parts = iter(reply)
    stored = dict(reply) if isinstance(reply, Mapping) else dict(zip(parts, parts, strict=True))
    texts = stored.pop(b"texts", None)
    record = {name.decode(): value.decode() for name, value in stored.items()}
    if "packed" in record:
        record = {**unpack(record.pop("packed")), **record}
    if texts is not None:
        record["input"], record["output"] = decompress_texts(texts)
    return record


def unpack(packed: str) -> dict[str, str]:
    """Return the fields of a record that are in its field `packed`, as lines of code, value, code, value."""
    lines = packed.split("\n")
    return {FIELD_NAMES.get(code, code): value for code, value in zip(lines[::2], lines[1::2], strict=True)}


def compress_texts(question: str, answer: str) -> bytes | None:
    """Return the compressed texts of a record, or None if they are too short for that."""
    texts = f"{len(question)}\n{question}{answer}".encode()
    if len(texts) < MIN_COMPRESSED_BYTES:
        return None
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW)
    return compressor.compress(texts) + compressor.flush()


def decompress_texts(compressed: bytes) -> tuple[str, str]:
    """Return question and answer."""
    length, _, texts = zlib.decompress(compressed, _RAW).decode().partition("\n")
    return texts[: int(length)], texts[int(length) :]
