"""Providers that send without end, or to another host: one failure with its own code, in bounded memory."""

import gzip
import json
import resource
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from tests.support.raw_provider import HELLO, WHOLE, Ask, Script, chunk, error_of, events, sends, serve
from turns.config.settings import Settings
from turns.domain.errors import ModelError, ModelErrorKind
from worker.provider.chunk_stream import AnswerLimits
from worker.provider.http_client import MAX_ERROR_BYTES
from worker.provider.models import build_model

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
MEGABYTE = 1024 * 1024
ZEROS = b"0" * 65_536


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.provider.chunk_stream.PAUSE_SECONDS", 0)
    monkeypatch.setattr("worker.provider.chunk_stream.MAX_PAUSE_SECONDS", 0)


def sends_forever(head: bytes, piece: bytes, *, begin: bytes = b"") -> Script:
    """Send pieces as transfer chunks until the client closes the connection."""

    def script(connection: socket.socket) -> None:
        connection.sendall(head + b"\r\n")
        block = b"%x\r\n%s\r\n" % (len(piece), piece)
        with suppress(OSError):
            connection.sendall(b"%x\r\n%s\r\n" % (len(begin), begin) if begin else b"")
            while True:
                connection.sendall(block)

    return script


ENDLESS = {
    "an event without an end": sends_forever(HEAD, ZEROS, begin=b"data: "),
    "lines without an end": sends_forever(HEAD, b"data: 0\n" * 8000),
    "a comment without an end": sends_forever(HEAD, ZEROS, begin=b": "),
    "a body that is no stream": sends_forever(HEAD, ZEROS, begin=b"{"),
    "a compressed event": sends_forever(
        HEAD + b"Content-Encoding: gzip\r\n", gzip.compress(b"data: " + b"0" * 3 * MEGABYTE)
    ),
}


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.mark.parametrize("endless", ENDLESS)
def test_what_has_no_end_fails_once(ask: Ask, endless: str) -> None:
    before = peak_megabytes()
    error = error_of(ask, ENDLESS[endless])
    assert (error.code, error.kind) == ("answer_too_large", ModelErrorKind.HOPELESS)
    assert peak_megabytes() - before < 40


@pytest.mark.parametrize("event", [chunk({"reasoning": "hm"}), chunk({}), chunk({"tool_calls": [{"id": "x"}]})])
def test_events_without_end_fail_once(ask: Ask, event: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.provider.chunk_stream.EMPTY_STREAM_BYTES", -127 * Settings().max_answer_bytes)
    monkeypatch.setattr("worker.provider.answer.MAX_CHUNKS", 500)
    error = error_of(ask, sends_forever(HEAD, events(event, done=False) * 200, begin=events(*HELLO, done=False)))
    assert (error.code, error.kind) == ("answer_too_large", ModelErrorKind.HOPELESS)


def test_an_answer_of_the_allowed_size_is_read(ask: Ask) -> None:
    """Each character is an event, or all of them are one event of escaped characters."""
    size = 20_000
    words = events(*[chunk({"content": "x"})] * size, WHOLE[-1])
    assert len(ask(sends(words)).output) == size
    assert len(words) < AnswerLimits.for_answer(size).stream_bytes
    emoji = json.dumps(chunk({"content": "😀" * (Settings().max_answer_bytes // 4)}, "stop"))
    assert len(ask(sends(events(emoji))).output) == Settings().max_answer_bytes // 4


@pytest.mark.parametrize("status", [400, 500])
def test_of_an_endless_error_only_the_beginning_is_read(ask: Ask, status: int) -> None:
    head = b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n" % status
    before = peak_megabytes()
    error = error_of(ask, sends_forever(head, ZEROS, begin=b'{"error": {"message": "'))
    assert error.code == ("provider_rejected" if status == 400 else "provider_error")
    assert peak_megabytes() - before < 40
    assert MAX_ERROR_BYTES < MEGABYTE


@pytest.fixture
def other_host() -> Iterator[tuple[int, list[bytes]]]:
    """Return the port of another server, and what it has received."""
    received: list[bytes] = []

    def accept(server: socket.socket) -> None:
        with suppress(OSError):
            connection, _ = server.accept()
            with connection:
                received.append(connection.recv(65_536))
                sends(events(*WHOLE))(connection)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, args=(server,), daemon=True).start()
        yield server.getsockname()[1], received


def redirects(status: int, location: str) -> Script:
    head = f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
    return lambda connection: connection.sendall(head.encode())


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_to_another_host_is_refused(ask: Ask, status: int, other_host: tuple[int, list[bytes]]) -> None:
    port, received = other_host
    error = error_of(ask, redirects(status, f"http://127.0.0.1:{port}/v1/chat/completions"))
    assert (error.code, error.kind, error.provider_status) == ("provider_rejected", ModelErrorKind.HOPELESS, status)
    assert str(error) == "redirect to another host refused"
    assert received == []


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirect_that_drops_the_request_is_refused(ask: Ask, status: int) -> None:
    error = error_of(ask, redirects(status, "/v2/chat/completions"))
    assert (error.code, error.kind, error.provider_status) == ("provider_rejected", ModelErrorKind.HOPELESS, status)


def test_openai_s_own_client_refuses_it_too(other_host: tuple[int, list[bytes]]) -> None:
    port, received = other_host
    with socket.create_server(("127.0.0.1", 0)) as server:
        script = redirects(307, f"http://localhost:{port}/v1/chat/completions")
        threading.Thread(target=serve, args=(server, script), daemon=True).start()
        settings = Settings(openai_base_url=f"http://127.0.0.1:{server.getsockname()[1]}/v1", stock_client=True)
        model: Any = build_model(settings)
        with pytest.raises(ModelError, match="redirect to another host refused"):
            model.invoke("hello")
        model.root_client.close()
    assert received == []
