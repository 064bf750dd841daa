"""A fast OpenAI-compatible server for measuring: a process of its own, whose CPU is nobody's but its own.

    python -m bench.model PORT [ADDRESS]

The last brackets in what it is asked steer it, as in `tests/scripted_model.py`: `[delay 0.5]` before it answers,
`[words 100]`, `[pace 0.01]` between words. Each word is one write, as providers send them; without a pace, all are
written at once. `GET /answered` says how many answers it began, and how many connections it was asked over.
"""

import asyncio
import json
import re
import sys
from typing import Any

ANSWER = re.compile(rb"\[(delay|words|pace) ([0-9.]+)\]")
DEFAULTS = {b"delay": 0.0, b"words": 20.0, b"pace": 0.0}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\n%s\r\n\r\n"
BASE = {"id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 1, "model": "bench"}


class Model:
    def __init__(self) -> None:
        self.answers = 0
        self.connections = 0
        self.events: dict[int, list[bytes]] = {}


class Connection(asyncio.Protocol):
    def __init__(self, model: Model) -> None:
        self._model = model
        self._buffer = bytearray()
        self._transport: Any = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._model.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
        if length and len(body) < int(length[1]):
            return
        self._buffer.clear()
        if head.startswith(b"GET"):
            self._send_whole({"answers": self._model.answers, "connections": self._model.connections})
        else:
            self._answer(bytes(body))

    def _answer(self, body: bytes) -> None:
        self._model.answers += 1
        question = body[body.rfind(b'"content"') :]
        asked = {**DEFAULTS, **{name: float(number) for name, number in ANSWER.findall(question)}}
        words, delay, pace = int(asked[b"words"]), asked[b"delay"], asked[b"pace"]
        loop = asyncio.get_running_loop()
        if re.search(rb'"stream": ?true', body):
            events = self._model.events.setdefault(words, streamed(words))
            self._timer = loop.call_later(delay, self._begin, events, pace)
        else:
            self._timer = loop.call_later(delay, self._send_whole, whole(words))

    def _begin(self, events: list[bytes], pace: float) -> None:
        self._transport.write(HEAD % (b"text/event-stream", b"Transfer-Encoding: chunked"))
        if pace:
            self._speak(events, 0, pace, asyncio.get_running_loop().time())
        else:
            self._transport.write(b"".join(events))

    def _speak(self, events: list[bytes], at: int, pace: float, due: float) -> None:
        # By the clock and not by the last word, or else a busy machine would be given a slower model.
        loop = asyncio.get_running_loop()
        while at < len(events) and due <= loop.time():
            last = at >= len(events) - 3  # the end comes with the last word
            self._transport.write(b"".join(events[at:]) if last else events[at])
            at, due = len(events) if last else at + 1, due + pace
        if at < len(events):
            self._timer = loop.call_at(due, self._speak, events, at, pace, due)

    def _send_whole(self, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self._transport.write(HEAD % (b"application/json", b"Content-Length: %d" % len(data)) + data)


def usage(words: int) -> dict[str, int]:
    return {"prompt_tokens": 7, "completion_tokens": words, "total_tokens": 7 + words}


def whole(words: int) -> dict[str, Any]:
    message = {"role": "assistant", "content": " ".join(f"word{n}" for n in range(words))}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {**BASE, "object": "chat.completion", "choices": [choice], "usage": usage(words)}


def streamed(words: int) -> list[bytes]:
    """One transfer chunk for each event: so many words, the reason, the usage and the end."""

    def event(delta: dict[str, str], reason: str | None = None) -> dict[str, Any]:
        return {**BASE, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}

    said = [event({"content": f" word{n}" if n else "word0"}) for n in range(words)]
    said[0]["choices"][0]["delta"]["role"] = "assistant"
    events = [*said, event({}, "stop"), {**BASE, "choices": [], "usage": usage(words)}]
    lines = [f"data: {json.dumps(one)}\n\n".encode() for one in events] + [b"data: [DONE]\n\n"]
    return [b"%x\r\n%s\r\n" % (len(line), line) for line in lines[:-1]] + [
        b"%x\r\n%s\r\n0\r\n\r\n" % (len(lines[-1]), lines[-1])
    ]


async def serve(port: int, address: str) -> None:
    model = Model()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(model), address, port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2]))
