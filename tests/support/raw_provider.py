"""A provider on a raw socket, for what the scripted model does not send: other dialects, broken and endless answers."""

import json
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from turns.domain.errors import ModelError
from turns.domain.run.answer import Answer
from turns.domain.run.spending import Usage

Script = Callable[[socket.socket], object]
Ask = Callable[..., Answer]
USAGE = {"prompt_tokens": 100, "completion_tokens": 3, "total_tokens": 103}
COUNTED = Usage(input_tokens=100, output_tokens=3, total_tokens=103)
STREAM = "Content-Type: text/event-stream"


def serve(server: socket.socket, script: Script) -> None:
    with suppress(OSError):
        connection, _ = server.accept()
        with connection:
            request = b""
            while b"\r\n\r\n" not in request or len(request.partition(b"\r\n\r\n")[2]) < length_of(request):
                request += connection.recv(65536)
            script(connection)


def length_of(request: bytes) -> int:
    return int(request.lower().partition(b"content-length:")[2].split(b"\r\n")[0])


def chunk(delta: Any, reason: Any = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **more}


HELLO = [chunk({"role": "assistant", "content": "Hello"}), chunk({"content": " there"})]
WHOLE = [*HELLO, chunk({}, "stop")]


def events(*chunks: Any, done: bool = True) -> bytes:
    data = [one if isinstance(one, str) else json.dumps(one) for one in chunks]
    return "".join(f"data: {one}\n\n" for one in [*data, *(["[DONE]"] if done else [])]).encode()


def sends(*pieces: bytes, header: str = STREAM, ends: bool = True, pause: float = 0.05) -> Script:
    """Send each piece as one transfer chunk, with a pause after it."""

    def script(connection: socket.socket) -> None:
        connection.sendall(f"HTTP/1.1 200 OK\r\n{header}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        for piece in pieces:
            connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
            if len(pieces) > 1:
                time.sleep(pause)
        if ends:
            connection.sendall(b"0\r\n\r\n")

    return script


def error_of(ask: Ask, script: Script) -> ModelError:
    with pytest.raises(ModelError) as caught:
        ask(script)
    return caught.value
