"""What goes over one connection: each answer whole, in one piece, and the connection serves the next request."""

import socket
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest

from tests.support.processes import Stack
from web.routes.assets import STATIC


@pytest.fixture
def line(stack: Stack) -> Iterator[socket.socket]:
    host, port = stack.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as line:
        yield line


def ask(line: socket.socket, method: str, path: str, headers: str = "") -> tuple[int, bytes]:
    """The status and the body of an answer that came in one piece."""
    line.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode())
    head, end, body = line.recv(65_536).partition(b"\r\n\r\n")
    assert end, head
    return int(head.split()[1]), body


def test_answers_with_and_without_a_body_follow_each_other(line: socket.socket, stack: Stack) -> None:
    assert ask(line, "GET", "/livez") == (200, b'{"status":"ok"}')
    assert ask(line, "HEAD", "/livez") == (200, b"")
    turn_id = stack.submit("s", "hello")
    stack.wait_until_finished(turn_id)
    known = f'If-None-Match: "{etag(line, turn_id)}"\r\n'
    assert ask(line, "GET", f"/v1/turns/{turn_id}", known) == (304, b"")
    status, body = ask(line, "GET", "/v1/nothing")
    assert (status, body[-1:]) == (404, b"}")
    assert ask(line, "DELETE", "/v1/sessions/s") == (204, b"")
    assert ask(line, "GET", "/livez") == (200, b'{"status":"ok"}')


def test_only_what_a_caller_has_makes_a_read_conditional(line: socket.socket, stack: Stack) -> None:
    turn_id = stack.submit("s", "hello")
    stack.wait_until_finished(turn_id)
    known = etag(line, turn_id)
    for said, status in (('"x"', 200), (f'W/"{known}"', 304), (f'"x", "{known}"', 304), ("*", 304)):
        asked = f'If-None-Match: {said}\r\nIf-Match: "y"\r\nRange: bytes=0-5\r\n'
        assert ask(line, "GET", f"/v1/turns/{turn_id}", asked)[0] == status, said


def test_what_a_proxy_says_changes_nothing(line: socket.socket) -> None:
    said = "X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: off\r\nSCRIPT_NAME: /livez\r\nX-Forwarded-For: 1.2.3.4\r\n"
    assert ask(line, "GET", "/livez", said) == (200, b'{"status":"ok"}')


@pytest.mark.parametrize("path", ["/v1//turns", "/v1/turns//events"])
def test_a_slash_too_many_is_another_path(line: socket.socket, path: str) -> None:
    status, body = ask(line, "GET", path)
    assert (status, b'"code":"not_found"' in body) == (404, True)


def etag(line: socket.socket, turn_id: str) -> str:
    line.sendall(f"GET /v1/turns/{turn_id} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    _, found, rest = line.recv(65_536).partition(b'ETag: "')
    assert found
    return rest.partition(b'"')[0].decode()


def test_a_file_follows_its_head(stack: Stack) -> None:
    name = "/static/any/chat/chat.css"
    connection = HTTPConnection(stack.url.removeprefix("http://"), timeout=20)
    for _ in range(2):
        connection.request("GET", name)
        answer = connection.getresponse()
        assert answer.status == 200
        assert answer.read() == (STATIC / "chat" / "chat.css").read_bytes()
    connection.close()


def test_requests_that_came_together_are_answered_in_order(line: socket.socket) -> None:
    line.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /v1/nothing HTTP/1.1\r\nHost: x\r\n\r\n")
    said = b""
    while b"not_found" not in said:
        said += line.recv(65_536)
    assert said.index(b"HTTP/1.1 200 ") < said.index(b'{"status":"ok"}') < said.index(b"HTTP/1.1 404 ")


def test_a_body_that_nobody_read_is_passed_over(line: socket.socket) -> None:
    status, _ = ask(line, "POST", "/v1/nothing", "Content-Length: 30000\r\n")
    line.sendall(b" " * 30_000)
    assert (status, ask(line, "GET", "/livez")) == (404, (200, b'{"status":"ok"}'))


def test_a_long_body_that_nobody_read_ends_the_connection(line: socket.socket) -> None:
    status, _ = ask(line, "POST", "/v1/nothing", "Content-Length: 300000\r\n")
    line.sendall(b" " * 300_000)
    assert (status, line.recv(1)) == (404, b"")


def test_the_head_of_a_stream_does_not_wait_for_its_first_event(line: socket.socket, stack: Stack) -> None:
    turn_id = stack.submit("s", "hello [gate stream]")
    line.sendall(f"GET /v1/turns/{turn_id}/events HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert line.recv(65_536).startswith(b"HTTP/1.1 200 ")
    stack.open_gate("stream")
    assert stack.wait_until_finished(turn_id)["status"] == "completed"
