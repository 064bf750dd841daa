"""An OpenAI-compatible server whose answers a function decides."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self, TypeAlias

Messages: TypeAlias = Sequence[Mapping[str, Any]]  # as OpenAI's API has them: `role`, `content`, …
USAGE = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}


class ToolCall:
    """A reply of the model that calls one tool."""

    def __init__(self, name: str, /, **arguments: Any) -> None:
        self.name = name
        self.arguments = arguments


@dataclass(frozen=True, slots=True)
class ModelError:
    """An error response of the provider."""

    status: int = 500
    message: str = "a scripted failure"


Reply: TypeAlias = str | ToolCall | ModelError
Script: TypeAlias = Callable[[Messages], Reply]


def echo(messages: Messages) -> str:
    """Return the last question, so that a test can recognize the answer."""
    return f"You asked: {messages[-1]['content']}"


class ScriptedModel(ThreadingHTTPServer):
    """The server. `requests` has the body of each request; `script` may be replaced at any time."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, script: Script = echo) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = script
        self.requests: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        """The base URL for `OPENAI_BASE_URL`."""
        return f"http://127.0.0.1:{self.server_port}/v1"

    @contextmanager
    def running(self) -> Iterator[Self]:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        try:
            yield self
        finally:
            self.shutdown()
            self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print no traceback when a cancelled turn closes its connection."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: ScriptedModel

    def log_message(self, *_: object) -> None:
        """Log no requests."""

    def do_GET(self) -> None:
        """Answer the list of models, for which the service asks when it starts, with its default model."""
        self._send(200, {"object": "list", "data": [{"id": "gpt-4o-mini", "object": "model"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append(body)
        try:
            reply = self.server.script(body["messages"])
        except Exception as error:
            reply = ModelError(400, f"the script raised {error!r}")
        if isinstance(reply, ModelError):
            self._send(reply.status, {"error": {"message": reply.message, "type": "scripted", "code": None}})
        elif body.get("stream"):
            self._send_stream(reply, body["model"])
        else:
            choice = {"index": 0, "message": _message(reply), "finish_reason": _finish_reason(reply)}
            self._send(200, _envelope("chat.completion", body["model"], choices=[choice], usage=USAGE))

    def _send(self, status: int, body: Mapping[str, Any]) -> None:
        self._send_bytes(status, "application/json", json.dumps(body).encode())

    def _send_stream(self, reply: str | ToolCall, model: str) -> None:
        choices: list[dict[str, Any]] = [
            {"index": 0, "delta": delta, "finish_reason": None} for delta in _deltas(reply)
        ]
        choices.append({"index": 0, "delta": {}, "finish_reason": _finish_reason(reply)})
        chunks = [_envelope("chat.completion.chunk", model, choices=[choice]) for choice in choices]
        chunks.append(_envelope("chat.completion.chunk", model, choices=[], usage=USAGE))
        events = [*map(json.dumps, chunks), "[DONE]"]
        self._send_bytes(200, "text/event-stream", "".join(f"data: {event}\n\n" for event in events).encode())

    def _send_bytes(self, status: int, kind: str, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _envelope(kind: str, model: str, **fields: Any) -> dict[str, Any]:
    return {"id": "scripted", "object": kind, "created": 1, "model": model, **fields}


def _finish_reason(reply: str | ToolCall) -> str:
    return "tool_calls" if isinstance(reply, ToolCall) else "stop"


def _message(reply: str | ToolCall) -> dict[str, Any]:
    if isinstance(reply, str):
        return {"role": "assistant", "content": reply}
    function = {"name": reply.name, "arguments": json.dumps(reply.arguments)}
    call: dict[str, Any] = {"index": 0, "id": f"call_{reply.name}", "type": "function", "function": function}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def _deltas(reply: str | ToolCall) -> Iterator[dict[str, Any]]:
    """Yield a text word by word, a tool call in one piece."""
    if isinstance(reply, ToolCall):
        yield _message(reply)
        return
    yield {"role": "assistant", "content": ""}
    for number, word in enumerate(reply.split(" ")):
        yield {"content": f" {word}" if number else word}
