"""The head of an answer over HTTP/1, told apart without `email`."""

from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse, LineTooLong
from typing import Any

import httpx2

MOST_FIELDS = 100
MOST_BYTES = 65_536  # of a line; both as in `http.client`


class Response(HTTPResponse):
    """`http.client` makes an e-mail of the fields of an answer: 35 µs for five of them, 90 for 25; here 6 and 18."""

    headers: Any  # by name, whatever its case, as OpenAI's client gives them
    fp: Any

    def begin(self) -> None:
        """Status and fields are known, and how the body ends. Raises `HTTPException`, `OSError`."""
        private: Any = super()
        version, status, reason = private._read_status()
        fields = list(self._fields())
        while 100 <= status < 200:  # they say that the answer will come
            version, status, reason = private._read_status()
            fields = list(self._fields())
        self.status, self.reason = status, reason.strip()
        self.version = 10 if version == "HTTP/1.0" else 11
        self.headers = httpx2.Headers(fields)
        self.chunked = self.headers.get("transfer-encoding", "").lower() == "chunked"
        self.chunk_left = None
        length = self.headers.get("content-length", "")
        self.length = int(length) if length.isdecimal() and not self.chunked else None
        if status in {204, 304}:
            self.length = 0
        self.will_close = private._check_close() or (self.length is None and not self.chunked)

    def _fields(self) -> Iterator[tuple[bytes, bytes]]:
        for _ in range(MOST_FIELDS + 1):
            line = self.fp.readline(MOST_BYTES + 1)
            if len(line) > MOST_BYTES:
                raise LineTooLong("header line")
            if line in {b"\r\n", b"\n", b""}:
                return
            name, _, value = line.partition(b":")
            yield name.strip(), value.strip()
        raise HTTPException(f"got more than {MOST_FIELDS} headers")
