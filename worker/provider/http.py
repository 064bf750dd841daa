"""Keep-alive connections to one server, and what comes over them: bytes as they arrive, nothing parsed twice.

On `http.client`, because a POST and its answer cost 0.2 ms CPU there, 0.35 over urllib3 and 0.55 over what OpenAI's
client stands on, which looks at its whole pool for each request, so that 200 calls in flight cost ten times that.
"""

import os
import ssl
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from worker.provider.response import Response

CONNECT_SECONDS = 5.0
END_SECONDS = 0.05  # how long the end of an answer may follow its last words; a new connection costs about as much
READ_BYTES = 65536


class Connections:
    """Idle connections, the last used first; as many as were ever in use at once, less what the server closed."""

    def __init__(self, url: str, headers: Mapping[str, str], *, tls: ssl.SSLContext, read_seconds: float) -> None:
        """Raises ValueError for a header that is none."""
        self._address = urlsplit(url)
        self._tls = tls
        self._read_seconds = read_seconds
        self._head = self._written(headers)
        self._idle: deque[HTTPConnection] = deque()  # taken from and given to at one end, without a lock
        self._process = os.getpid()

    def post(self, body: bytes) -> "Answer":
        """The answer, as far as its headers. Raises `OSError` or `HTTPException`."""
        connection = self._take()
        try:
            connection.sock.sendall(b"%sContent-Length: %d\r\n\r\n%s" % (self._head, len(body), body))
            response = Response(connection.sock, method="POST")
            response.begin()
        except BaseException:  # a run that is interrupted here too: what comes later is nobody's answer
            connection.close()
            raise
        return Answer(self, connection, response)

    def give_back(self, connection: HTTPConnection) -> None:
        self._idle.append(connection)
        # One old one is looked at for each that comes back, or what the server closed after a busy hour would stay.
        with suppress(IndexError):  # another thread has taken it
            oldest = self._idle.popleft()
            if _is_open(oldest):
                self._idle.appendleft(oldest)
            else:
                oldest.close()

    def close(self) -> None:
        """None is idle any more."""
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> HTTPConnection:
        if self._process != os.getpid():
            # Forked: the other process reads from these too, and each would get the other's answers.
            self._idle, self._process = deque(), os.getpid()
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread was faster
                break
            if _is_open(connection):
                connection.sock.settimeout(self._read_seconds)
                return connection
            connection.close()
        return self._open()

    def _open(self) -> HTTPConnection:
        connection = self._new()
        try:
            connection.connect()
        except BaseException:
            connection.close()
            raise
        connection.sock.settimeout(self._read_seconds)
        return connection

    def _new(self) -> HTTPConnection:
        host, port = self._address.hostname or "", self._address.port
        if self._address.scheme == "https":
            return HTTPSConnection(host, port, timeout=CONNECT_SECONDS, context=self._tls)
        return HTTPConnection(host, port, timeout=CONNECT_SECONDS)

    def _written(self, headers: Mapping[str, str]) -> bytes:
        """The head of a request as `http.client` writes it, once: it takes a third of a POST to write it each time."""
        written: list[bytes] = []
        connection: Any = self._new()
        connection.sock = SimpleNamespace(sendall=written.append)
        connection.putrequest("POST", self._address.path)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        return b"".join(written).removesuffix(b"\r\n")


def _is_open(connection: HTTPConnection) -> bool:
    """An idle connection has nothing to say: neither that it ends, nor the rest of an answer."""
    connection.sock.settimeout(0)
    try:
        connection.sock.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except OSError:
        return False
    return False


class Answer:
    """An answer whose body comes in pieces. Read to its end, its connection is kept; closed before, it is closed."""

    def __init__(self, connections: Connections, connection: HTTPConnection, response: HTTPResponse) -> None:
        self._connections = connections
        self._connection: HTTPConnection | None = connection
        self._response = response
        self.status = response.status
        self.headers = response.headers

    def read(self) -> bytes:
        """The whole body. Raises `OSError` or `HTTPException`."""
        try:
            body = self._response.read()
            self._end()
        finally:
            self.close()
        return body

    def pieces(self) -> Iterator[bytes]:
        """The body, each piece as much of it as had arrived. Raises `OSError` or `HTTPException`."""
        try:
            yield from self._chunked() if self._response.chunked else self._plain()
            self._end()
        finally:
            self.close()

    def hurry(self) -> None:
        """Only the end is still to come: it must come at once."""
        if self._connection:
            self._connection.sock.settimeout(END_SECONDS)

    def close(self) -> None:
        """The server sees at once that nobody reads, unless all has been read."""
        if self._connection:
            self._response.close()
            self._connection.close()
            self._connection = None

    def _end(self) -> None:
        self._response.close()
        if self._connection and not self._response.will_close:
            self._connections.give_back(self._connection)
            self._connection = None

    def _plain(self) -> Iterator[bytes]:
        while data := self._response.read1(READ_BYTES):
            yield data
        if self._response.length:
            raise IncompleteRead(b"", self._response.length)

    def _chunked(self) -> Iterator[bytes]:
        """Around `HTTPResponse`, which gives one transfer chunk, so one word, at a time, however many have arrived."""
        rest, is_last = b"", False
        while not is_last:
            data = self._response.fp.read1(READ_BYTES)
            if not data:
                raise IncompleteRead(b"")
            body, rest, is_last = unchunk(rest + data)
            if body:
                yield body
        if rest:
            raise HTTPException("the server said more than its answer")


def unchunk(data: bytes) -> tuple[bytes, bytes, bool]:
    """The whole transfer chunks at the start of `data`, what is left after them, and whether they were all."""
    pieces: list[bytes] = []
    at = 0
    while (end := data.find(b"\r\n", at)) >= 0:
        size = int(data[at:end].partition(b";")[0], 16)
        if size < 0:
            raise ValueError("a chunk of negative size")
        if size == 0:
            ends_at = data.find(b"\r\n\r\n", end)  # after trailers, if there are any
            is_last = ends_at >= 0
            return b"".join(pieces), data[ends_at + 4 :] if is_last else data[at:], is_last
        if len(data) < end + 2 + size + 2:
            break
        pieces.append(data[end + 2 : end + 2 + size])
        at = end + 2 + size + 2
    return b"".join(pieces), data[at:], False
