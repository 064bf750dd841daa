"""Bad input over real HTTP: the right status, the name of the field, nothing stored, nothing leaked."""

import contextlib
import json
import select
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.support.bad_input import BAD_BODIES
from tests.support.processes import HttpResponse, Stack, call, turn_request
from web.http.responses import BODY_SECONDS

PROBLEM = {"type", "title", "status", "detail", "instance", "code", "request_id"}


@pytest.fixture(autouse=True)
def nothing_stored(stack: Stack) -> Iterator[None]:
    before = stack.store.raw.hget("inturn:metrics", "accepted|interactive")
    yield
    assert stack.store.raw.hget("inturn:metrics", "accepted|interactive") == before


def is_problem(answer: HttpResponse, status: int, code: str) -> None:
    assert answer.status == status, answer
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert set(answer.body) - {"errors"} == PROBLEM
    assert (answer.body["status"], answer.body["code"]) == (status, code)
    assert answer.body["request_id"] == answer.headers["X-Request-Id"]
    assert "Traceback" not in str(answer.body)


@pytest.mark.parametrize(("body", "field"), BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_a_bad_body(stack: Stack, body: bytes, field: str) -> None:
    answer = call(f"{stack.url}/v1/turns", method="POST", body=body)
    is_problem(answer, 400, "invalid_request")
    assert answer.body["errors"][0]["field"] == field
    assert answer.body["detail"] == "\n".join(f"{error['field']}: {error['rule']}" for error in answer.body["errors"])


@pytest.mark.parametrize(
    ("request_line", "headers", "body", "expected"),
    [
        ("POST /v1/turns", {"Content-Type": "text/plain"}, b"{}", (415, "unsupported_media_type")),
        ("POST /v1/turns", {"Idempotency-Key": "x" * 256}, turn_request("s", "x"), (400, "invalid_request")),
        ("POST /v1/turns", {}, turn_request("s", "x", assistant="unknown"), (404, "assistant_not_found")),
        ("POST /v1/turns", {}, b" " * (1024 * 1024 + 1), (413, "content_too_large")),
        ("POST /v1/turns", {}, b" " * (64 * 1024 * 1024), (413, "content_too_large")),
        ("DELETE /v1/turns", {}, None, (405, "method_not_allowed")),
        ("GET /v1/turns?status=done", {}, None, (400, "invalid_request")),
        ("GET /v1/turns?after=x", {}, None, (400, "invalid_request")),
        ("GET /v1/sessions?after=x", {}, None, (400, "invalid_request")),
        ("GET /v1/sessions/unknown", {}, None, (404, "session_not_found")),
        ("DELETE /v1/sessions/a%20b", {}, None, (400, "invalid_request")),
        ("POST /v1/turns?wait=3", {}, turn_request("s", "x"), (400, "invalid_request")),
        ("GET /v1/turns/turn_1", {}, None, (404, "turn_not_found")),
        ("GET /v1/turns/turn_" + "f" * 32, {}, None, (404, "turn_not_found")),
        ("GET /v1/turns/turn_" + "0" * 32, {}, None, (410, "turn_expired")),
        ("GET /v1/turns/turn_" + "f" * 32 + "?wait=31", {}, None, (400, "invalid_request")),
        ("GET /v1/turns/turn_" + "f" * 32 + "?wiat=1", {}, None, (400, "invalid_request")),
        ("GET /v1/turns/turn_" + "f" * 32, {"Accept": "text/html"}, None, (406, "not_acceptable")),
        ("POST /v1/turns/turn_" + "f" * 32 + "/cancel", {}, None, (404, "turn_not_found")),
        ("GET /v1/sessions/unknown/messages", {}, None, (404, "session_not_found")),
        ("GET /v1/sessions/a%20b/messages", {}, None, (400, "invalid_request")),
        ("GET /v1/sessions/a/messages?limit=0", {}, None, (400, "invalid_request")),
        ("GET /nowhere", {}, None, (404, "not_found")),
    ],
)
def test_a_bad_request(
    stack: Stack, request_line: str, headers: dict[str, str], body: object, expected: tuple[int, str]
) -> None:
    method, _, path = request_line.partition(" ")
    is_problem(call(f"{stack.url}{path}", method=method, body=body, headers=headers), *expected)


def test_a_wrong_method_gets_the_allowed_ones(stack: Stack) -> None:
    allowed = call(f"{stack.url}/v1/turns", method="DELETE").headers["Allow"]
    assert set(allowed.split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


def test_a_valid_request_id_is_used(stack: Stack) -> None:
    good, bad = ({"X-Request-Id": name} for name in ("abc-123", "a b"))
    assert call(f"{stack.url}/livez", headers=good).headers["X-Request-Id"] == "abc-123"
    assert call(f"{stack.url}/livez", headers=bad).headers["X-Request-Id"] != "a b"


HEAD = "POST /v1/turns HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ("nonsense\r\n\r\n", 400),
        ("GET /livez HTTP/9.9\r\n\r\n", 400),
        ("GET /livez HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (f"GET /{'x' * 10_000} HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (f"GET /livez HTTP/1.1\r\nHost: x\r\nX-Long: {'x' * 10_000}\r\n\r\n", 431),
        (f"{HEAD}Transfer-Encoding: sideways\r\n\r\n", 501),
        (f"{HEAD}Transfer-Encoding: chunked\r\n\r\nnot a size\r\n", 400),
    ],
)
def test_malformed_http_gets_a_problem(stack: Stack, sent: str, status: int) -> None:
    with connect(stack) as connection:
        connection.sendall(sent.encode())
        with connection.makefile("rb") as answer:
            head, _, body = answer.read().partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"application/problem+json" in head
    assert json.loads(body)["status"] == status


def test_an_incomplete_head_times_out(stack: Stack) -> None:
    """A slow client, of which there may be many, loses its connection after seconds, even if it keeps sending."""
    with connect(stack) as connection:
        for byte in b"GET /livez HTTP/1.1":
            try:
                connection.sendall(bytes([byte]))
            except OSError:
                break
            connection.settimeout(1)
            with contextlib.suppress(TimeoutError):
                if not connection.recv(1):
                    break
        else:
            pytest.fail("the connection was kept")


def test_an_endless_body_is_refused_while_it_is_read(stack: Stack) -> None:
    """The body is chunked, so no header contains its length."""
    with connect(stack) as connection:
        connection.sendall(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode())
        for _ in range(17):  # one more than fits in the allowed MiB
            connection.sendall(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_does_not_arrive_gets_408(stack: Stack) -> None:
    """Both connections wait at once, because each waits for the whole time. They are closed afterwards."""
    with connect(stack) as one, connect(stack) as other:
        one.sendall(f"{HEAD}Content-Length: 500\r\n\r\n{{".encode())
        other.sendall(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n500\r\n{{".encode())
        for connection in (one, other):
            connection.settimeout(3 * BODY_SECONDS)
            with connection.makefile("rb") as answer:
                head, _, body = answer.read().partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 408 ")
            assert b"not received" in body


def test_a_truncated_body_is_refused(stack: Stack) -> None:
    """Even if the received part is valid JSON."""
    with connect(stack) as connection:
        connection.sendall(f"{HEAD}Content-Length: 5000\r\n\r\n".encode() + json.dumps(turn_request("s", "x")).encode())
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as answer:
            head, _, body = answer.read().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in head
    assert json.loads(body)["detail"] == "The body is shorter than its Content-Length."


NO_END = "Content-Length: 99999999999\r\n\r\n"
FLOOD_SECONDS = 10


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (f"POST /nowhere HTTP/1.1\r\nHost: x\r\n{NO_END}", b" " * 0x10000),
        (f"{HEAD}{NO_END}", b" " * 0x10000),
        (f"{HEAD}Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n" * 10_000),
        ("", b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" * 200),
    ],
    ids=["nowhere", "too long", "in pieces of a byte", "many requests"],
)
def test_an_endless_sender_does_not_starve_other_clients(stack: Stack, head: str, piece: bytes) -> None:
    with connect(stack) as connection:
        connection.sendall(head.encode())
        flood = threading.Thread(target=send_without_end, args=(connection, piece))
        flood.start()
        for _ in range(3):
            assert call(f"{stack.url}/livez").status == 200
        assert flood.is_alive(), "the other requests were answered only after it had ended"
        connection.shutdown(socket.SHUT_RDWR)
        flood.join()


def send_without_end(connection: socket.socket, piece: bytes) -> None:
    until = time.monotonic() + FLOOD_SECONDS
    with contextlib.suppress(OSError):
        while time.monotonic() < until:
            connection.sendall(piece)
            if select.select([connection], [], [], 0)[0]:
                connection.recv(0x100000)


def connect(stack: Stack) -> socket.socket:
    host, port = stack.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=20)
