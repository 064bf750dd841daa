"""Parse HTTP responses with `httptools`, the parser of uvicorn, and decode their bodies."""

import zlib
from collections.abc import Iterator

import httptools

MAX_HEAD_BYTES = 262_144  # the parser has no limit, and would buffer headers without end
MAX_DECODED_BYTES = 1_048_576  # of one piece: 64 KB can contain 64 MB of zeros


class Decompressor:
    """Decode gzip or deflate as it arrives. Servers call both zlib's format and its raw form "deflate"."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(zlib.MAX_WBITS | 32)  # detects the header of gzip or zlib
        self._is_first = True

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the decoded bytes in pieces of limited size. Raise `ConnectionError`."""
        try:
            while data:
                if piece := self._decompress(data):
                    yield piece
                data = self._zlib.unconsumed_tail
                if not data and (data := self._zlib.unused_data):  # another member; some servers compress each event
                    self._zlib = zlib.decompressobj(zlib.MAX_WBITS | 32)
        except zlib.error as error:
            raise ConnectionError(f"the body of the response cannot be decoded: {error}") from error

    def _decompress(self, data: bytes) -> bytes:
        is_first, self._is_first = self._is_first, False
        try:
            return self._zlib.decompress(data, MAX_DECODED_BYTES)
        except zlib.error:
            if not is_first:
                raise
            self._zlib = zlib.decompressobj(-zlib.MAX_WBITS)
            return self._zlib.decompress(data, MAX_DECODED_BYTES)


class ResponseParser:
    """The state of one response while `httptools` parses it. The `on_…` methods are its callbacks."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.has_head = False
        self.is_complete = False
        self.is_reusable = False  # whether the connection can be used for another request
        self._body: list[bytes] = []
        self._size = 0
        self._parser = httptools.HttpResponseParser(self)
        # OpenAI's client accepts these too: a length beside chunks, lines that end with a bare line feed, padded sizes.
        self._parser.set_dangerous_leniencies(
            lenient_chunked_length=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
        )

    def feed(self, data: bytes) -> None:
        """Parse received bytes, or the end of the connection if they are empty. Raise `ConnectionError`."""
        if not data:
            return self._end()
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self.is_complete:  # otherwise it is about data behind the response
                raise ConnectionError(f"not a valid HTTP response: {error}") from error
        if self.is_complete:
            del self._parser  # ends the reference cycle, which would wait for the garbage collector otherwise
        elif not self.has_head:
            self._size += len(data)
            if self._size > MAX_HEAD_BYTES:
                raise ConnectionError("the headers of the response are too large")
        return None

    def take_body(self) -> bytes:
        """Return the part of the body that has been parsed since the last call."""
        body = b"".join(self._body)
        self._body.clear()
        return body

    def on_message_begin(self) -> None:
        if self.is_complete:  # there is data behind the response, and the next request would read it
            self.is_reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.has_head:  # otherwise it is a trailer
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        if self.is_complete:
            return
        self.status = self._parser.get_status_code()
        self.has_head = self.status >= 200
        self.is_reusable = self._parser.should_keep_alive()
        if not self.has_head:  # "100 Continue" or "103 Early Hints"
            self.headers.clear()

    def on_body(self, body: bytes) -> None:
        if not self.is_complete:
            self._body.append(body)

    def on_message_complete(self) -> None:
        self.is_complete = self.has_head

    def _end(self) -> None:
        framing = {b"content-length", b"transfer-encoding"}
        if not self.has_head or any(name.lower() in framing for name, _ in self.headers):
            raise ConnectionError("the server closed the connection before the end of its response")
        self.is_complete = True
