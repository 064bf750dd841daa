"""A scripted OpenAI-compatible HTTP server, the only part of a stack that is faked.

    python -m tests.support.scripted_model PORT [ADDRESS]

`POST /v1/chat/completions` answers `answer to <last question> <digest of all messages>`, word by word. Directives in
brackets anywhere in the question change that:

    [delay 0.5]    wait 0.5 s before the answer
    [words 50]     answer with 50 words
    [pace 0.05]    wait 0.05 s between words
    [fail 503]     answer with this status; [fail 503 2]: only to the first two requests with this question
    [down x]       answer with status 503 until `POST /gates/x`
    [code x]       … and this error code; [retry-after 1]: … and this header
    [finish x]     end with this finish_reason; `none`: end without one
    [tokens x]     report x, which is JSON, as the number of tokens of the answer
    [last x]       announce that the connection closes after this answer
    [say x]        answer with exactly x, which may be JSON
    [call x]       call the tool x, and answer when the next request contains its result; [call x {"n": 1}]: with these
                   arguments
    [reason x]     send x as the model's reasoning before the answer, word by word
    [cite x]       name x as the address of a source
    [draw x]       give back an image, x as base64
    [gate x]       wait for `POST /gates/x`
    [hold x]       wait for `POST /gates/x` in the middle of the answer, also if that answers the result of a tool
    [cut x]        close the connection in the middle of the answer
    [raw x]        answer 200 with one of the invalid bodies in `RAW`
    [once-NAME x]  the same as [NAME x], for the first request with this question only

`POST /outage/down` lets it answer 503 to all questions until `POST /outage/up`.

`GET /requests` lists all requests: `messages`, `closed` (true if the client disconnected before the end), the whole
`body`, the `headers` and the client's `port`, which identifies its connection.
"""

import hashlib
import json
import re
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from typing import Any

GATE_SECONDS = 60
WORDS_BEFORE_HOLD = 3

RAW = {
    "html": b"<html><body>Bad gateway</body></html>",
    "broken-json": b'data: {"id": "c", "choices": [\n\n',
    "no-choices": b'data: {"id": "c", "object": "chat.completion.chunk", "choices": []}\n\ndata: [DONE]\n\n',
    "no-chunk": b"data: [1]\n\ndata: [DONE]\n\n",
    "odd-reason": b'data: {"choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": {"is": "stop"}}]}\n\n',
    "nothing": b"",
    "empty-answer": b'data: {"choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "stop"}]}\n\n',
    "bad-utf-8": b'data: {"choices": [{"index": 0, "delta": {"content": "\xff\xfe"}, "finish_reason": "stop"}]}\n\n',
    "error-event": b'data: {"choices": [{"index": 0, "delta": {"content": "x"}}]}\n\n'
    b'data: {"error": {"message": "overloaded", "code": null}}\n\n',
}


# For screenshots and demonstrations, which people read.
ANSWERS = {
    "How do I find all primes below n in Python?": """\
The **sieve of Eratosthenes**: cross out the multiples of each prime, and what is left is prime.

```python
def primes(n: int) -> list[int]:
    is_prime = [True] * n
    for p in range(2, int(n**0.5) + 1):  # beyond its root, all are crossed out
        if is_prime[p]:
            is_prime[p * p :: p] = [False] * len(range(p * p, n, p))
    return [p for p in range(2, n) if is_prime[p]]
```

| n | primes below | time |
|---|---|---|
| 1,000 | 168 | 0.1 ms |
| 1,000,000 | 78,498 | 60 ms |

It takes `n` bytes of memory; for a larger `n`, sieve in segments.""",
}


MODELS = ("gpt-4o-mini", "gpt-4o", "llama3.2:latest")


class Script:
    """The directives in a question."""

    def __init__(self, question: str, *, count: int = 1) -> None:
        """`count` is the number of requests with this question so far."""
        found: dict[str, str] = dict(re.findall(r"\[([a-z-]+) ([^\]]*)\]", question))
        once = {name.removeprefix("once-"): value for name, value in found.items() if name.startswith("once-")}
        self._directives = {**found, **(once if count == 1 else {})}

    def number(self, name: str, default: float) -> float:
        return float(self._directives.get(name, default))

    def word(self, name: str) -> str | None:
        return self._directives.get(name)


class ScriptedModel(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, port: int, address: str = "127.0.0.1") -> None:
        super().__init__((address, port), Handler)
        self.requests: list[dict[str, Any]] = []
        self.request_counts: Counter[str] = Counter()
        self.gates: defaultdict[str, threading.Event] = defaultdict(threading.Event)
        self.is_down = False
        self.lock = threading.Lock()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log no traceback for a client that disconnects or is killed; it would disturb tests that search the log."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: ScriptedModel

    def log_message(self, *_: object) -> None:
        """Log no requests; the tests read `/requests` instead."""

    def end_headers(self) -> None:
        if sent := self.headers.get("X-Client-Request-Id"):
            self.send_header("x-request-id", f"req-of-{sent}")
        super().end_headers()

    def do_GET(self) -> None:
        if self.path.endswith("/models"):
            return self._json(200, {"data": [{"id": name} for name in MODELS]})
        return self._json(200, self.server.requests)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/gates/"):
            self.server.gates[self.path.removeprefix("/gates/")].set()
            return self._json(200, {})
        if self.path.startswith("/outage/"):
            self.server.is_down = self.path == "/outage/down"
            return self._json(200, {})
        return self._complete(json.loads(body))

    def _complete(self, body: dict[str, Any]) -> None:
        messages = body["messages"]
        question = text_of(messages[-1])
        record = {
            "messages": messages,
            "closed": False,
            "body": body,
            "headers": dict(self.headers),
            "port": self.client_address[1],
        }
        with self.server.lock:
            self.server.requests.append(record)
            self.server.request_counts[question] += 1
            count = self.server.request_counts[question]
        script = Script(question, count=count)
        calls = script.word("call") if messages[-1]["role"] == "user" else None
        try:
            if gate := script.word("gate"):
                self.server.gates[gate].wait(GATE_SECONDS)
            time.sleep(script.number("delay", 0))
            if (failure := script.word("fail")) and count <= int([*failure.split(), "1000000"][1]):
                return self._fail(int(failure.split()[0]), script, question)
            down = script.word("down")
            if self.server.is_down or (down and not self.server.gates[down].is_set()):
                return self._fail(503, script, question)
            if raw := script.word("raw"):
                return self._raw(RAW[raw], declared=len(RAW[raw]))
            if script.word("cut"):
                return self._raw(RAW["error-event"][:70], declared=1000)
            if not body.get("stream"):
                return self._json(
                    200, completion(answer(messages, script), body["model"], script.word("finish") or "stop")
                )
            hold = script.word("hold") or Script(last_question(messages)).word("hold")
            self._stream(script, answer(messages, script), body["model"], calls=calls, hold=hold)
        except (BrokenPipeError, ConnectionResetError):
            record["closed"] = True

    def _fail(self, status: int, script: Script, question: str) -> None:
        error = {"message": f"scripted failure sk-canary of {question}", "type": "x", "code": script.word("code")}
        after = script.word("retry-after")
        self._json(status, {"error": error}, {"Retry-After": after} if after else {})

    def _stream(self, script: Script, text: str, model: str, *, calls: str | None, hold: str | None) -> None:
        words: list[Any] = text.split(" ")
        words += [f"word{n}" for n in range(int(script.number("words", 0)) - len(words))]
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        if script.word("last"):
            self.send_header("Connection", "close")
        self.end_headers()
        finish = script.word("finish") or "stop"
        tokens = json.loads(script.word("tokens") or str(len(words)))
        reason = None if finish == "none" else finish
        words += [{"annotations": [citation(url)]}] if (url := script.word("cite")) else []
        words += [{"images": [image(data)]}] if (data := script.word("draw")) else []
        stream = tool_call_chunks(calls, model) if calls else answer_chunks(words, model, reason, tokens)
        for n, chunk in enumerate(chain(reasoning_chunks(script.word("reason"), model), stream)):
            if n == WORDS_BEFORE_HOLD and hold:
                self.server.gates[hold].wait(GATE_SECONDS)
            self._chunk(f"data: {json.dumps(chunk)}\n\n".encode())
            time.sleep(script.number("pace", 0))
        self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")

    def _raw(self, body: bytes, *, declared: int) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html" if body.startswith(b"<") else "text/event-stream")
        self.send_header("Content-Length", str(declared))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = declared > len(body)

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def _json(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def text_of(message: dict[str, Any]) -> str:
    """Return the text of a message, whose content may be a list of blocks."""
    content = message["content"]
    return content if isinstance(content, str) else "".join(block.get("text", "") for block in content)


def last_question(messages: list[dict[str, Any]]) -> str:
    """Return the text of the last message that is a user's."""
    return next((text_of(message) for message in reversed(messages) if message["role"] == "user"), "")


def answer(messages: list[dict[str, Any]], script: Script | None = None) -> str:
    """Return the model's answer to these messages, which ends with a digest of all of them."""
    question = text_of(messages[-1])
    if exact := (script or Script(question)).word("say") or ANSWERS.get(question):
        return exact
    return f"answer to {question} {digest(messages)}"


def digest(messages: list[dict[str, Any]]) -> str:
    return hashlib.sha256(json.dumps(messages, sort_keys=True).encode()).hexdigest()[:12]


def answer_chunks(words: list[Any], model: str, finish: str | None, tokens: Any) -> Iterator[dict[str, Any]]:
    """Yield a chunk for each word; one that is a dict is sent as it is."""
    yield chunk(model, {"role": "assistant", "content": ""})
    for n, word in enumerate(words):
        yield chunk(model, word if isinstance(word, dict) else {"content": word if n == 0 else f" {word}"})
    if finish:
        yield chunk(model, {}, finish)
    yield usage_chunk(model, tokens)


def citation(url: str) -> dict[str, Any]:
    return {"type": "url_citation", "url_citation": {"url": url, "title": "A source", "start_index": 0, "end_index": 6}}


def image(data: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}


def reasoning_chunks(reasoning: str | None, model: str) -> Iterator[dict[str, Any]]:
    for word in (reasoning or "").split():
        yield chunk(model, {"content": None, "reasoning_content": f"{word} "})


def tool_call_chunks(tool: str, model: str) -> Iterator[dict[str, Any]]:
    name, _, arguments = tool.partition(" ")
    function = {"name": name, "arguments": arguments or "{}"}
    call = {"index": 0, "id": f"call_{name}", "type": "function", "function": function}
    yield chunk(model, {"role": "assistant", "content": None, "tool_calls": [call]})
    yield chunk(model, {}, "tool_calls")
    yield usage_chunk(model, 1)


def chunk(model: str, delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": model, "choices": [choice]}


def usage_chunk(model: str, tokens: Any) -> dict[str, Any]:
    total = 7 + tokens if isinstance(tokens, int) else tokens
    usage = {"prompt_tokens": 7, "completion_tokens": tokens, "total_tokens": total}
    return {**chunk(model, {}), "choices": [], "usage": usage}


def completion(text: str, model: str, finish: str) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
    usage = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": model, "choices": [choice], "usage": usage}


if __name__ == "__main__":
    ScriptedModel(int(sys.argv[1]), *sys.argv[2:]).serve_forever()
