"""A fast OpenAI-compatible server, in a separate process so that its CPU is not counted.

    python -m bench.model_server PORT ADDRESS

Brackets in the last message control the answer, as in `tests/support/scripted_model.py`: `[delay 0.5]` waits before the
answer, `[words 100]` sets its length, `[pace 0.01]` waits between words. With a pace each word is one write, as real
providers send them. Without it, the whole answer is one write.
"""

import asyncio
import functools
import json
import re
import sys
from collections.abc import Sequence
from typing import Any

DIRECTIVE = re.compile(rb"\[(delay|words|pace) ([0-9.]+)\]")
DEFAULTS = {b"delay": 0.0, b"words": 20.0, b"pace": 0.0}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\n%s\r\n\r\n"
BASE = {"id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 1, "model": "bench"}


class Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self._buffer = bytearray()
        self._transport: Any = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end_of_head, body = self._buffer.partition(b"\r\n\r\n")
        if not end_of_head:
            return
        length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
        if length and len(body) < int(length[1]):
            return
        self._buffer.clear()
        self._answer(bytes(body))

    def _answer(self, body: bytes) -> None:
        last_message = body[body.rfind(b'"content"') :]
        directives = {**DEFAULTS, **{name: float(number) for name, number in DIRECTIVE.findall(last_message)}}
        words, delay, pace = int(directives[b"words"]), directives[b"delay"], directives[b"pace"]
        loop = asyncio.get_running_loop()
        if re.search(rb'"stream": ?true', body):
            self._timer = loop.call_later(delay, self._begin_stream, render_chunks(words), pace)
        else:
            self._timer = loop.call_later(delay, self._send_completion, words)

    def _begin_stream(self, chunks: Sequence[bytes], pace: float) -> None:
        self._transport.write(HEAD % (b"text/event-stream", b"Transfer-Encoding: chunked"))
        if pace:
            self._send_due_chunks(chunks, 0, pace, asyncio.get_running_loop().time())
        else:
            self._transport.write(b"".join(chunks))

    def _send_due_chunks(self, chunks: Sequence[bytes], position: int, pace: float, due_at: float) -> None:
        # Due times are relative to the start of the stream. Relative to the previous write, a busy machine would get a
        # slower model.
        loop = asyncio.get_running_loop()
        while position < len(chunks) and due_at <= loop.time():
            is_last_word = position >= len(chunks) - 3  # the end of the stream is sent with the last word
            self._transport.write(b"".join(chunks[position:]) if is_last_word else chunks[position])
            position, due_at = len(chunks) if is_last_word else position + 1, due_at + pace
        if position < len(chunks):
            self._timer = loop.call_at(due_at, self._send_due_chunks, chunks, position, pace, due_at)

    def _send_completion(self, words: int) -> None:
        data = json.dumps(completion(words)).encode()
        self._transport.write(HEAD % (b"application/json", b"Content-Length: %d" % len(data)) + data)


def usage(words: int) -> dict[str, int]:
    return {"prompt_tokens": 7, "completion_tokens": words, "total_tokens": 7 + words}


def completion(words: int) -> dict[str, Any]:
    message = {"role": "assistant", "content": " ".join(f"word{n}" for n in range(words))}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {**BASE, "object": "chat.completion", "choices": [choice], "usage": usage(words)}


@functools.cache
def render_chunks(words: int) -> Sequence[bytes]:
    """Return one HTTP chunk per event: the words, the finish reason, the usage and the end."""

    def event(delta: dict[str, str], reason: str | None = None) -> dict[str, Any]:
        return {**BASE, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}

    deltas = [event({"content": f" word{n}" if n else "word0"}) for n in range(words)]
    deltas[0]["choices"][0]["delta"]["role"] = "assistant"
    events = [*deltas, event({}, "stop"), {**BASE, "choices": [], "usage": usage(words)}]
    rendered = [f"data: {json.dumps(one)}\n\n".encode() for one in events] + [b"data: [DONE]\n\n"]
    chunks = [b"%x\r\n%s\r\n" % (len(data), data) for data in rendered]
    return [*chunks[:-1], chunks[-1] + b"0\r\n\r\n"]


async def serve(port: int, address: str) -> None:
    server = await asyncio.get_running_loop().create_server(Connection, address, port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2]))
