"""What `ChatOpenAI` asks for answers, in place of OpenAI's own client: it posts, and gives dicts as they come.

OpenAI's client makes typed objects of each message on its way out and each word on its way in, and `ChatOpenAI` makes
dicts of these again. Whoever asks for more than a turn does (options of the call, a redirect) gets OpenAI's client
itself. Errors are that client's own, so whatever handles them handles these.
"""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from types import SimpleNamespace
from typing import Any

import httpx2
import openai
import orjson

from worker.provider.http import Answer, Connections

END = b"[DONE]"

# Below what a reader sees, and readers are told no more often than each 50 ms. A word that is waited for and taken
# alone costs 0.06 ms: an answer of 100 words, 10 ms apart, costs 3.7 ms with this rest and 6.5 without.
REST_SECONDS = 0.02

# Arguments of a call that are no part of the body.
OPTIONS = frozenset({"extra_headers", "extra_query", "extra_body", "timeout"})


class Completions:
    """Stands for `client.chat.completions` of a stock client, as far as `ChatOpenAI` uses it."""

    def __init__(self, stock: openai.OpenAI, *, read_seconds: float) -> None:
        self._stock = stock
        url = f"{str(stock.base_url).rstrip('/')}/chat/completions"
        self._request = httpx2.Request("POST", url)  # errors name it
        headers = {
            name: value
            for name, value in {**stock.default_headers, **stock.auth_headers}.items()
            if isinstance(value, str)  # some are marked as left out
        }
        self._connections = Connections(url, headers, tls=httpx2.create_ssl_context(), read_seconds=read_seconds)
        self.with_raw_response = SimpleNamespace(create=self._create)

    def create(self, **payload: Any) -> Any:
        """The answer as a dict, or as a context manager around an iterator of dicts. Raises `openai.APIError`."""
        return self._create(**payload).parse()

    def close(self) -> None:
        """No idle connection is left."""
        self._connections.close()

    def _create(self, **payload: Any) -> Any:
        if not OPTIONS.isdisjoint(payload):
            return self._stock.chat.completions.with_raw_response.create(**payload)
        with _as_openai_says_it(self._request):
            answer = self._connections.post(orjson.dumps(payload))
        if 300 <= answer.status < 400:
            answer.close()
            return self._stock.chat.completions.with_raw_response.create(**payload)
        if answer.status >= 400:
            raise self._refusal(answer)
        return Streamed(answer, self._request) if payload.get("stream") else self._whole(answer)

    def _whole(self, answer: Answer) -> SimpleNamespace:
        with _as_openai_says_it(self._request):
            body = orjson.loads(answer.read())
        if isinstance(body, dict):
            body = {"choices": None, "system_fingerprint": None, **body}  # as OpenAI's client gives it
        return SimpleNamespace(headers=answer.headers, parse=lambda: body)

    def _refusal(self, answer: Answer) -> openai.APIStatusError:
        with _as_openai_says_it(self._request):
            body = answer.read()
        response = httpx2.Response(answer.status, headers=answer.headers.items(), content=body, request=self._request)
        return self._stock._make_status_error_from_response(response)  # their own table of errors


class Streamed:
    """The events of one answer. Left before their end, they end for the provider too."""

    def __init__(self, answer: Answer, request: httpx2.Request) -> None:
        self.headers = answer.headers
        self._answer = answer
        self._request = request

    def parse(self) -> "Streamed":
        return self

    def __enter__(self) -> "Streamed":
        return self

    def __exit__(self, *_: object) -> None:
        self._answer.close()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        rest = b""
        pieces = self._answer.pieces()
        with _as_openai_says_it(self._request):
            for piece in paced(pieces):
                events, rest = split_events(rest + piece)
                done = END in events
                chunks = [self._chunk(event) for event in (events[: events.index(END)] if done else events)]
                yield from joined(chunks)
                if done:
                    break
        # The end of the answer comes after its last event. Who does not wait for it can use no connection twice.
        self._answer.hurry()
        with suppress(OSError, HTTPException, ValueError):
            deque(pieces, maxlen=0)

    def _chunk(self, event: bytes) -> Any:
        chunk = orjson.loads(event)
        if error := chunk.get("error"):
            message = error.get("message") if isinstance(error, dict) else None
            raise openai.APIError(message or "An error occurred during streaming", self._request, body=error)
        for choice in chunk.get("choices") or ():
            choice.setdefault("delta", None)  # as OpenAI's client gives it; Azure leaves it out where it only judges
        return chunk


def paced(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same, but after the first two, what comes within `REST_SECONDS` is left to be taken together."""
    for number, piece in enumerate(pieces):
        taken_at = time.monotonic()
        yield piece
        if number:
            time.sleep(max(0.0, taken_at + REST_SECONDS - time.monotonic()))


def split_events(data: bytes) -> tuple[list[bytes], bytes]:
    """The data of the whole events at the start of a stream, and the rest of it."""
    *blocks, rest = data.replace(b"\r\n", b"\n").split(b"\n\n")
    events = (b"\n".join(line[5:].strip() for line in block.split(b"\n") if line[:5] == b"data:") for block in blocks)
    return [event for event in events if event], rest


def joined(chunks: Iterable[Any]) -> Iterator[Any]:
    """Words that arrived together are one chunk, and one piece of the answer: each piece costs LangChain 0.06 ms."""
    last: Any = None
    last_only_says = False
    for chunk in chunks:
        only_says = _only_says(chunk)
        if only_says and last_only_says:
            last["choices"][0]["delta"]["content"] += chunk["choices"][0]["delta"]["content"]
            continue
        if last is not None:
            yield last
        last, last_only_says = chunk, only_says
    if last is not None:
        yield last


def _only_says(chunk: Any) -> bool:
    try:
        [choice] = chunk["choices"]
        delta = choice["delta"]
        is_text = len(delta) == 1 and isinstance(delta["content"], str)
    except (KeyError, TypeError, ValueError):
        return False
    return is_text and not (choice.get("finish_reason") or choice.get("logprobs") or chunk.get("usage"))


@contextmanager
def _as_openai_says_it(request: httpx2.Request) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise openai.APITimeoutError(request) from error
    except (OSError, HTTPException) as error:
        raise openai.APIConnectionError(request=request) from error
