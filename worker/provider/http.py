"""Keep-alive connections to the provider's server.

A POST costs 0.2 ms of CPU here and 0.35 ms with urllib3, which also returns one transfer chunk at a time. OpenAI's own
client costs 0.55 ms and scans its whole pool for each request, which makes that ten times as much with 200 in flight.
"""

import os
import socket
import ssl
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from worker.provider.http_parser import Decompressor, ResponseParser

CONNECT_SECONDS = 5.0
END_SECONDS = 0.05  # maximum wait for the end of a response after its last event; a new connection costs about as much
READ_BYTES = 65_536
DECODED = frozenset({b"gzip", b"x-gzip", b"deflate"})  # content encodings


class ConnectionPool:
    """Idle connections, most recently used first. Its size is the highest number of requests in flight so far."""

    def __init__(self, url: str, headers: Mapping[str, str], *, tls: ssl.SSLContext, read_seconds: float) -> None:
        """Raise ValueError if a header cannot be sent."""
        self._address = urlsplit(url)
        self._tls = tls
        self._read_seconds = read_seconds
        target = "?".join(part for part in (self._address.path, self._address.query) if part)
        self._head = render_head(target, self._address.netloc.rpartition("@")[2], headers)
        self._idle: deque[socket.socket] = deque()  # pushed and popped at one end, without a lock
        self._process = os.getpid()

    def post(self, body: bytes, *, header: str = "") -> "Response":
        """Send a request and return the response as soon as its headers have arrived. Raise `OSError`.

        `header` is a line of its head.
        """
        connection, more = self._take(), f"{header}\r\n".encode() if header else b""
        try:
            connection.sendall(b"%s%sContent-Length: %d\r\n\r\n%s" % (self._head, more, len(body), body))
            response = Response(self, connection)
            response.read_head()
        except BaseException:  # also when the run is interrupted: the next request would read this response
            connection.close()
            raise
        return response

    def give_back(self, connection: socket.socket) -> None:
        self._idle.append(connection)
        # Check one old connection per returned one. Otherwise connections that the server has closed after a busy hour
        # would stay in the pool for ever.
        with suppress(IndexError):  # another thread has taken it
            oldest = self._idle.popleft()
            if _is_open(oldest):
                self._idle.appendleft(oldest)
            else:
                oldest.close()

    def close(self) -> None:
        """Close all idle connections."""
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> socket.socket:
        if self._process != os.getpid():
            # After a fork, parent and child share these sockets, and each would read responses to the other.
            self._idle, self._process = deque(), os.getpid()
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread has taken it
                break
            if _is_open(connection):
                connection.settimeout(self._read_seconds)
                return connection
            connection.close()
        return self._connect()

    def _connect(self) -> socket.socket:
        host = self._address.hostname or ""
        is_tls = self._address.scheme == "https"
        connection = socket.create_connection((host, self._address.port or (443 if is_tls else 80)), CONNECT_SECONDS)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if is_tls:
                connection = self._tls.wrap_socket(connection, server_hostname=host)
            connection.settimeout(self._read_seconds)
        except BaseException:
            connection.close()
            raise
        return connection


def render_head(path: str, host: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", "Accept-Encoding: identity"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    for line in lines:
        if not line.isprintable():  # a line break in an API key would start another header
            raise ValueError(f"invalid characters in header {line.partition(':')[0]!r}")
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1")


def _is_open(connection: socket.socket) -> bool:
    """Return whether an idle connection has received nothing: neither its end nor unexpected data."""
    connection.settimeout(0)
    try:
        connection.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except OSError:
        return False
    return False


class Response:
    """A response whose body is read as it arrives.

    A connection returns to the pool once its response has been read to the end. Closing a response earlier closes the
    connection, so that the server notices at once.
    """

    def __init__(self, pool: ConnectionPool, connection: socket.socket) -> None:
        self._pool = pool
        self._connection: socket.socket | None = connection
        self._parser = ResponseParser()
        self._decompressor: Decompressor | None = None

    @property
    def status(self) -> int:
        return self._parser.status

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """All headers except the encoding, because the body is returned decoded."""
        return [header for header in self._parser.headers if header[0].lower() != b"content-encoding"]

    @property
    def raw_headers(self) -> Sequence[tuple[bytes, bytes]]:
        return self._parser.headers

    @property
    def is_readable(self) -> bool:
        """False if the server has encoded the body in a form that this class cannot decode."""
        return self._encoding() in {b"", b"identity", *DECODED}

    def read_head(self) -> None:
        """Read until all headers have arrived. Raise `OSError`."""
        while not self._parser.has_head:
            self._receive()
        if self._encoding() in DECODED:
            self._decompressor = Decompressor()

    def pieces(self) -> Iterator[bytes]:
        """Yield the body in pieces, each as large as what has arrived. Raise `OSError`."""
        try:
            while True:
                yield from self._take_body()
                if self._parser.is_complete:
                    break
                self._receive()
            if self._connection and self._parser.is_reusable:
                self._pool.give_back(self._connection)
                self._connection = None
        finally:
            self.close()

    def expect_within(self, seconds: float) -> None:
        """Set the timeout of each further read."""
        if self._connection:
            self._connection.settimeout(max(seconds, 0.001))  # zero would mean not to wait at all

    def drain(self, pieces: Iterator[bytes]) -> None:
        """Wait for the end of the response, if it is close, so that the connection can be reused."""
        end_at = time.monotonic() + END_SECONDS
        self.expect_within(END_SECONDS)
        with suppress(OSError):
            for _ in pieces:
                self.expect_within(end_at - time.monotonic())
                if time.monotonic() > end_at:
                    break

    def close(self) -> None:
        """Close the connection, unless it has returned to the pool."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def _receive(self) -> None:
        if self._connection is None:
            raise ConnectionError("the response is closed")
        self._parser.feed(self._connection.recv(READ_BYTES))

    def _encoding(self) -> bytes:
        return b", ".join(value for name, value in self._parser.headers if name.lower() == b"content-encoding").lower()

    def _take_body(self) -> Iterable[bytes]:
        body = self._parser.take_body()
        if not body:
            return ()
        return self._decompressor.feed(body) if self._decompressor else (body,)
