"""What is read of the head of an answer is what `http.client` reads of it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse

import pytest

from worker.provider.response import Response

BODY = b"hello"
LONG = b"a" * 66_000

HEADS = {
    "a length": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nContent-Length: 5\r\n\r\n",
    "neither": b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n",
    "no fields": b"HTTP/1.1 200 OK\r\n\r\n",
    "no reason": b"HTTP/1.1 429\r\nRetry-After: 3\r\nContent-Length: 0\r\n\r\n",
    "no body": b"HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n",
    "lines of their own": b"HTTP/1.1 200 OK\nContent-Length: 5\nX-Id:  a: b\n\n",
    "it closes": b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 5\r\n\r\n",
    "an older version": b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n",
    "an older version that stays": b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\n",
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
    "a length that is none": b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
    "an answer that will come": b"HTTP/1.1 100 Continue\r\nX: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
    "a redirect": b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n",
    "not only ASCII": "HTTP/1.1 200 OK\r\nX-Name: \xe9\r\nContent-Length: 5\r\n\r\n".encode("latin-1"),
}
BROKEN = {
    "nothing": b"",
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "no status": b"HTTP/1.1\r\n\r\n",
    "a status that is none": b"HTTP/1.1 fine\r\n\r\n",
    "a status out of range": b"HTTP/1.1 1000 OK\r\n\r\n",
    "a line without an end": b"HTTP/1.1 200 OK\r\nX: " + LONG,
    "fields without an end": b"HTTP/1.1 200 OK\r\n" + b"X-Field: 1\r\n" * 101 + b"\r\n",
}


@contextmanager
def begun(kind: type[HTTPResponse], sent: bytes) -> Iterator[HTTPResponse]:
    ours, theirs = socket.socketpair()
    with theirs, ours, kind(ours, method="POST") as response:
        theirs.sendall(sent)
        theirs.shutdown(socket.SHUT_WR)
        response.begin()
        yield response


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_a_head_is_read_as_by_http_client(head: bytes) -> None:
    with begun(HTTPResponse, head + BODY) as stock, begun(Response, head + BODY) as ours:
        assert lower(ours) == lower(stock)
        for name in ("status", "reason", "version", "chunked", "length", "will_close"):
            assert getattr(ours, name) == getattr(stock, name), name


def lower(response: HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


@pytest.mark.parametrize("name", [name for name in HEADS if name != "chunked"])
def test_a_body_is_read_as_by_http_client(name: str) -> None:
    with begun(HTTPResponse, HEADS[name] + BODY) as stock, begun(Response, HEADS[name] + BODY) as ours:
        assert ours.read() == stock.read()


@pytest.mark.parametrize("head", BROKEN.values(), ids=BROKEN)
def test_what_is_no_head_is_refused_as_by_http_client(head: bytes) -> None:
    assert refusal(Response, head) is refusal(HTTPResponse, head)


def refusal(kind: type[HTTPResponse], head: bytes) -> type[BaseException]:
    with pytest.raises((HTTPException, OSError)) as raised, begun(kind, head):
        pass
    return raised.type


def test_hints_before_the_answer_are_passed_over() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    with begun(Response, early + early + HEADS["a length"] + BODY) as response:
        assert (response.status, response.read()) == (200, BODY)
