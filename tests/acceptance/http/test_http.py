"""One connection serves requests one after the other, and each response is complete."""

import socket
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse

import pytest

from tests.support.processes import Stack
from web.routes.assets import STATIC


@pytest.fixture
def connection(stack: Stack) -> Iterator[socket.socket]:
    host, port = stack.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        yield connection


def ask(connection: socket.socket, method: str, path: str, headers: str = "") -> tuple[int, bytes]:
    """Send a request and return the status and the body of the response."""
    response = send(connection, method, path, headers)
    return response.status, response.read()


def send(connection: socket.socket, method: str, path: str, headers: str = "") -> HTTPResponse:
    connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode())
    response = HTTPResponse(connection, method=method)
    response.begin()
    return response


def test_responses_with_and_without_a_body_alternate(connection: socket.socket, stack: Stack) -> None:
    assert ask(connection, "GET", "/livez") == (200, b'{"status":"ok"}')
    assert ask(connection, "HEAD", "/livez") == (200, b"")
    turn_id = stack.submit("s", "hello")
    stack.wait_until_finished(turn_id)
    known = f'If-None-Match: "{etag(connection, turn_id)}"\r\n'
    assert ask(connection, "GET", f"/v1/turns/{turn_id}", known) == (304, b"")
    status, body = ask(connection, "GET", "/v1/nothing")
    assert (status, body[-1:]) == (404, b"}")
    assert ask(connection, "DELETE", "/v1/sessions/s") == (204, b"")
    assert ask(connection, "GET", "/livez") == (200, b'{"status":"ok"}')


def test_only_if_none_match_makes_a_read_conditional(connection: socket.socket, stack: Stack) -> None:
    turn_id = stack.submit("s", "hello")
    stack.wait_until_finished(turn_id)
    known = etag(connection, turn_id)
    for tags, status in (('"x"', 200), (f'W/"{known}"', 304), (f'"x", "{known}"', 304), ("*", 304)):
        headers = f'If-None-Match: {tags}\r\nIf-Match: "y"\r\nRange: bytes=0-5\r\n'
        assert ask(connection, "GET", f"/v1/turns/{turn_id}", headers)[0] == status, tags


def test_forwarding_headers_have_no_effect(connection: socket.socket) -> None:
    headers = "X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: off\r\nSCRIPT_NAME: /livez\r\nX-Forwarded-For: 1.2.3.4\r\n"
    assert ask(connection, "GET", "/livez", headers) == (200, b'{"status":"ok"}')


@pytest.mark.parametrize("path", ["/v1//turns", "/v1/turns//events"])
def test_a_path_with_a_double_slash_is_not_found(connection: socket.socket, path: str) -> None:
    status, body = ask(connection, "GET", path)
    assert (status, b'"code":"not_found"' in body) == (404, True)


def etag(connection: socket.socket, turn_id: str) -> str:
    response = send(connection, "GET", f"/v1/turns/{turn_id}")
    response.read()
    return response.headers["ETag"].strip('"')


def test_a_static_file_is_sent_completely(stack: Stack) -> None:
    name = "/static/any/chat/chat.css"
    client = HTTPConnection(stack.url.removeprefix("http://"), timeout=20)
    for _ in range(2):
        client.request("GET", name)
        answer = client.getresponse()
        assert answer.status == 200
        assert answer.read() == (STATIC / "chat" / "chat.css").read_bytes()
    client.close()


def test_pipelined_requests_are_answered_in_order(connection: socket.socket) -> None:
    connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /v1/nothing HTTP/1.1\r\nHost: x\r\n\r\n")
    received = b""
    while b"not_found" not in received:
        received += connection.recv(65_536)
    assert received.index(b"HTTP/1.1 200 ") < received.index(b'{"status":"ok"}') < received.index(b"HTTP/1.1 404 ")


def test_an_unread_body_is_discarded(connection: socket.socket) -> None:
    status, _ = ask(connection, "POST", "/v1/nothing", "Content-Length: 30000\r\n")
    connection.sendall(b" " * 30_000)
    assert (status, ask(connection, "GET", "/livez")) == (404, (200, b'{"status":"ok"}'))


def test_a_long_unread_body_ends_the_connection(connection: socket.socket) -> None:
    status, _ = ask(connection, "POST", "/v1/nothing", "Content-Length: 300000\r\n")
    connection.sendall(b" " * 300_000)
    assert (status, connection.recv(1)) == (404, b"")


def test_the_head_of_a_stream_does_not_wait_for_its_first_event(connection: socket.socket, stack: Stack) -> None:
    turn_id = stack.submit("s", "hello [gate stream]")
    connection.sendall(f"GET /v1/turns/{turn_id}/events HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")
    stack.open_gate("stream")
    assert stack.wait_until_finished(turn_id)["status"] == "completed"
