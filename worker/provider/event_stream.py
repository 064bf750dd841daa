"""Decode a stream of server-sent events, as a reader of the HTML standard does, and the JSON in it, as Python does."""

import json
from typing import Any

import orjson

from turns.domain.error_codes import Code
from turns.domain.errors import ModelError, ModelErrorKind

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
END = b"[DONE]"

# The data with which servers keep a connection alive. An empty JSON value has no content either.
KEEP_ALIVES = frozenset({b"ping", b"keep-alive", b"keepalive", b"keep_alive", b"heartbeat"})


class EventDecoder:
    """Split received bytes into events. Lines end with CR, LF or CRLF, and may be cut anywhere."""

    def __init__(self, max_event_bytes: int) -> None:
        self._max_event_bytes = max_event_bytes
        self._parts: list[bytes] = []  # of an event that is not complete; joined once, because it may be long
        self._size = 0
        self._ended_with_cr = False
        self._is_first = True

    def feed(self, piece: bytes) -> list[tuple[bytes, bytes]]:
        """Return the name and the data of each event that these bytes complete, if it has data.

        Raise `ModelError` if an event becomes too large.
        """
        if self._ended_with_cr or b"\r" in piece:
            piece = self._to_line_feeds(piece)
        ends_between = piece.startswith(b"\n") and self._parts and self._parts[-1].endswith(b"\n")
        if not ends_between and b"\n\n" not in piece:
            self._keep(piece)
            return []
        *blocks, rest = b"".join([*self._parts, piece]).split(b"\n\n")
        self._parts, self._size = [], 0
        self._keep(rest)
        if self._is_first and blocks:
            blocks[0] = blocks[0].removeprefix(BYTE_ORDER_MARK)
            self._is_first = False
        return [event for block in blocks if (event := _to_event(block))[1]]

    def finish(self) -> list[tuple[bytes, bytes]]:
        """Return the event that is not followed by an empty line, or a whole response that is one JSON document."""
        rest, self._parts = b"".join(self._parts), []
        if self._is_first:
            rest = rest.removeprefix(BYTE_ORDER_MARK)
            if rest.lstrip().startswith(b"{"):
                return [(b"", rest)]
        return [event for event in [_to_event(rest)] if event[1]]

    def _keep(self, part: bytes) -> None:
        if part:
            self._parts.append(part)
            self._size += len(part)
        if self._size > self._max_event_bytes:
            message = f"an event of more than {self._max_event_bytes} bytes"
            raise ModelError(Code.ANSWER_TOO_LARGE, ModelErrorKind.HOPELESS, message=message)

    def _to_line_feeds(self, piece: bytes) -> bytes:
        if self._ended_with_cr and piece.startswith(b"\n"):
            piece = piece[1:]
            self._ended_with_cr = False
            if not piece:
                return b""
        self._ended_with_cr = piece.endswith(b"\r")
        return piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _to_event(block: bytes) -> tuple[bytes, bytes]:
    """Return the name of an event, which is empty for most, and its data."""
    if block.startswith(b"data:") and b"\n" not in block:
        return b"", block[5:].strip()
    name, data = b"", []
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        if field == b"data":
            data.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.strip()
    return name, b"\n".join(data).strip()


def parse_json(data: bytes) -> Any:
    """Return the value of a JSON document, or None for a keep-alive. Raise `ValueError`.

    orjson is fast and strict. Python's own parser also accepts numbers such as NaN and halves of surrogate pairs, which
    servers in Python send.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None if data.lower() in KEEP_ALIVES else json.loads(data.decode())


def split_documents(data: bytes) -> list[bytes]:
    """Return the lines of an event if each is a document: some servers send no empty lines between events."""
    lines = data.split(b"\n")
    is_split = all(line == END or (line.startswith(b"{") and line.endswith(b"}")) for line in lines)
    return lines if is_split else [data]


def join_halves(text: str) -> str:
    """Join the halves of surrogate pairs, and replace a half that stands alone, because UTF-8 cannot encode it."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
