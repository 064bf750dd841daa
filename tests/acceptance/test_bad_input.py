"""Bad input over real HTTP: the right status, the name of the field, nothing stored, nothing leaked."""

import socket
from collections.abc import Iterator

import pytest

from tests.bad_input import BAD_BODIES
from tests.processes import Answer, Stack, call, request

PROBLEM = {"type", "title", "status", "detail", "instance", "code", "request_id"}


@pytest.fixture(autouse=True)
def nothing_stored(stack: Stack) -> Iterator[None]:
    before = stack.server.raw.hget("inturn:counters", "accepted")
    yield
    assert stack.server.raw.hget("inturn:counters", "accepted") == before


def is_problem(answer: Answer, status: int, code: str) -> None:
    assert answer.status == status, answer
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert set(answer.body) == PROBLEM
    assert (answer.body["status"], answer.body["code"]) == (status, code)
    assert answer.body["request_id"] == answer.headers["X-Request-Id"]
    assert "Traceback" not in str(answer.body)


@pytest.mark.parametrize(("body", "field"), BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_a_bad_body(stack: Stack, body: bytes, field: str) -> None:
    answer = call(f"{stack.url}/v1/turns", method="POST", body=body)
    is_problem(answer, 400, "invalid_request")
    assert answer.body["detail"].startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("asked", "headers", "body", "expected"),
    [
        ("POST /v1/turns", {"Content-Type": "text/plain"}, b"{}", (415, "unsupported_media_type")),
        ("POST /v1/turns", {"Idempotency-Key": "x" * 256}, request("s", "x"), (400, "invalid_request")),
        ("POST /v1/turns", {}, request("s", "x", assistant="nobody"), (404, "assistant_not_found")),
        ("POST /v1/turns", {}, b" " * (1024 * 1024 + 1), (413, "content_too_large")),
        ("GET /v1/turns", {}, None, (405, "method_not_allowed")),
        ("GET /v1/turns/turn_1", {}, None, (404, "turn_not_found")),
        ("GET /v1/turns/turn_" + "f" * 32, {}, None, (404, "turn_not_found")),
        ("GET /v1/turns/turn_" + "0" * 32, {}, None, (410, "turn_expired")),
        ("GET /v1/turns/turn_" + "f" * 32 + "?wait=31", {}, None, (400, "invalid_request")),
        ("GET /v1/turns/turn_" + "f" * 32 + "?wiat=1", {}, None, (400, "invalid_request")),
        ("GET /v1/turns/turn_" + "f" * 32, {"Accept": "text/html"}, None, (406, "not_acceptable")),
        ("POST /v1/turns/turn_" + "f" * 32 + "/cancel", {}, None, (404, "turn_not_found")),
        ("GET /v1/sessions/nobody/messages", {}, None, (404, "session_not_found")),
        ("GET /v1/sessions/a%20b/messages", {}, None, (400, "invalid_request")),
        ("GET /v1/sessions/a/messages?limit=0", {}, None, (400, "invalid_request")),
        ("GET /nowhere", {}, None, (404, "not_found")),
    ],
)
def test_a_bad_request(
    stack: Stack, asked: str, headers: dict[str, str], body: object, expected: tuple[int, str]
) -> None:
    method, _, path = asked.partition(" ")
    is_problem(call(f"{stack.url}{path}", method=method, body=body, headers=headers), *expected)


def test_a_wrong_method_is_told_the_right_one(stack: Stack) -> None:
    allowed = call(f"{stack.url}/v1/turns", method="DELETE").headers["Allow"]
    assert set(allowed.split(", ")) == {"OPTIONS", "POST"}


def test_a_request_id_is_taken_if_it_is_one(stack: Stack) -> None:
    good, bad = ({"X-Request-Id": name} for name in ("abc-123", "a b"))
    assert call(f"{stack.url}/livez", headers=good).headers["X-Request-Id"] == "abc-123"
    assert call(f"{stack.url}/livez", headers=bad).headers["X-Request-Id"] != "a b"


def test_a_body_without_end_is_refused_while_it_is_read(stack: Stack) -> None:
    """Chunked, so that no header tells its length, and never ended."""
    host, port = stack.url.removeprefix("http://").split(":")
    head = f"POST /v1/turns HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked"
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(f"{head}\r\n\r\n".encode())
        for _ in range(17):  # one more than the MiB that is allowed
            connection.sendall(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 413 ")
