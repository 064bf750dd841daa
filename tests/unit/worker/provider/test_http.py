"""Test the parser of HTTP responses: it accepts pieces cut anywhere, and refuses what is not a response."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.provider.http import render_head
from worker.provider.http_parser import MAX_HEAD_BYTES, ResponseParser

OK = b"HTTP/1.1 200 OK\r\n"
BODY = b"hello"
WITH_BODY = {
    "a length": OK + b"Content-Length: 5\r\n\r\nhello",
    "chunks": OK + b"Transfer-Encoding: Chunked\r\n\r\n2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nTrailer: x\r\n\r\n",
    "a length beside chunks": OK + b"Transfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
    "no reason": b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello",
    "an older version that stays": b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello",
    "early hints": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 2 + OK + b"Content-Length: 5\r\n\r\nhello",
}
THAT_CLOSES = {
    "an older version": b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "a header": OK + b"Connection: Close\r\nContent-Length: 5\r\n\r\nhello",
    "data behind the response": OK + b"Content-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\nX: 1\r\n\r\n",
    "bytes behind the response": OK + b"Content-Length: 5\r\n\r\nhello, world",
    "bytes behind the last response": OK + b"Connection: close\r\nContent-Length: 5\r\n\r\nhello, world",
}
BROKEN = {
    "nothing": b"",
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "HTML": b"<html>",
    "no status": b"HTTP/1.1\r\n\r\n",
    "a status that is a word": b"HTTP/1.1 fine\r\n\r\n",
    "a status out of range": b"HTTP/1.1 1000 OK\r\n\r\n",
    "a line without a colon": OK + b"Garbage\r\n\r\n",
    "a negative length": OK + b"Content-Length: -5\r\n\r\nhello",
    "a chunk of negative size": OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
    "an upgrade": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
    "half of a head": OK + b"Content-Len",
    "half of a body": OK + b"Content-Length: 5\r\n\r\nhel",
    "half of the chunks": OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
}


def parse(*pieces: bytes) -> ResponseParser:
    """Parse the pieces, and then the end of the connection unless the response is complete."""
    parser = ResponseParser()
    for piece in pieces:
        parser.feed(piece)
    if not parser.is_complete:
        parser.feed(b"")
    return parser


def cut(data: bytes, positions: list[int]) -> list[bytes]:
    at = [0, *sorted({position % len(data) for position in positions} - {0}), len(data)]
    return [data[begin:end] for begin, end in pairwise(at)]


@pytest.mark.parametrize("sent", WITH_BODY.values(), ids=WITH_BODY)
@given(positions=st.lists(st.integers(0, 999)))
def test_a_response_is_parsed_wherever_it_is_cut(sent: bytes, positions: list[int]) -> None:
    parser = parse(*cut(sent, positions))
    assert (parser.status, parser.take_body(), parser.is_complete, parser.is_reusable) == (200, BODY, True, True)
    assert not any(name in {b"Link", b"Trailer"} for name, _ in parser.headers)


@pytest.mark.parametrize("sent", THAT_CLOSES.values(), ids=THAT_CLOSES)
def test_a_connection_is_not_reused_after(sent: bytes) -> None:
    parser = parse(sent)
    assert (parser.status, parser.take_body(), parser.is_complete, parser.is_reusable) == (200, BODY, True, False)


@pytest.mark.parametrize("sent", BROKEN.values(), ids=BROKEN)
def test_an_invalid_response_is_a_connection_error(sent: bytes) -> None:
    with pytest.raises(ConnectionError):
        parse(sent)


@pytest.mark.parametrize("headers", [b"X: " + b"a" * MAX_HEAD_BYTES, b"X-Header: 1\r\n" * 30_000], ids=["one", "many"])
def test_headers_without_an_end_are_a_connection_error(headers: bytes) -> None:
    with pytest.raises(ConnectionError, match="too large"):
        ResponseParser().feed(OK + headers)


def test_without_a_length_the_body_ends_with_the_connection() -> None:
    parser = parse(OK + b"\r\nhel", b"lo")
    assert (parser.take_body(), parser.is_complete, parser.is_reusable) == (BODY, True, False)


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_these_statuses_have_no_body(status: bytes) -> None:
    parser = parse(b"HTTP/1.1 %s\r\nContent-Length: 5\r\n\r\n" % status)
    assert (parser.take_body(), parser.is_complete) == (b"", True)


def test_headers_are_returned_as_sent() -> None:
    parser = parse(OK + b"X-Name: \xe9\r\nRetry-After:  3\r\nContent-Length: 0\r\n\r\n")
    assert parser.headers == [(b"X-Name", b"\xe9"), (b"Retry-After", b"3"), (b"Content-Length", b"0")]


def test_the_body_is_taken_once() -> None:
    parser = ResponseParser()
    parser.feed(OK + b"Content-Length: 5\r\n\r\nhel")
    assert (parser.take_body(), parser.take_body()) == (b"hel", b"")
    parser.feed(b"lo")
    assert parser.take_body() == b"lo"


def test_a_request_head_is_rendered() -> None:
    head = render_head("/v1", "example.com:8000", {"Authorization": "Bearer sk-1"})
    assert head.split(b"\r\n")[:2] == [b"POST /v1 HTTP/1.1", b"Host: example.com:8000"]
    assert head.endswith(b"Authorization: Bearer sk-1\r\n")


@pytest.mark.parametrize("value", ["sk-1\r\nX-Evil: 1", "sk-1\n", "sk-😀"])
def test_a_header_that_cannot_be_sent_is_a_value_error(value: str) -> None:
    with pytest.raises(ValueError, match=r"header|latin-1"):
        render_head("/v1", "example.com", {"Authorization": value})
