"""A thin client for chat completions that `ChatOpenAI` uses instead of OpenAI's own: it posts and yields plain dicts.

OpenAI's client turns each outgoing message and each incoming chunk into typed objects, and `ChatOpenAI` turns them back
into dicts, which costs 8.8 of the 12.6 ms of a short turn. Calls that need more than a turn does (options of the call,
a redirect) go to OpenAI's client. Errors are its classes, so that handlers for them work here too.
"""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import Any, cast

import httpx2
import openai
import orjson

from worker.provider.http import ConnectionPool, Response

END = b"[DONE]"

# Readers get an event at most every 50 ms, so a pause of 20 ms is not visible. Handling each delta separately costs
# 0.06 ms: an answer of 100 words, 10 ms apart, costs 3.7 ms with this pause and 6.5 ms without.
PAUSE_SECONDS = 0.02

# Arguments of a call that are not part of the request body.
OPTIONS = frozenset({"extra_headers", "extra_query", "extra_body", "timeout"})


class Completions:
    """Replacement for `client.chat.completions` of OpenAI's client, as far as `ChatOpenAI` uses it."""

    def __init__(self, stock: openai.OpenAI, *, read_seconds: float) -> None:
        self._stock = stock
        url = f"{str(stock.base_url).rstrip('/')}/chat/completions"
        if stock.default_query:
            url = str(httpx2.URL(url).copy_merge_params(cast(dict[str, str], stock.default_query)))
        self._request = httpx2.Request("POST", url)  # part of each error
        headers = {
            name: value
            for name, value in {**stock.auth_headers, **stock.default_headers}.items()
            if isinstance(value, str)  # the others are markers for omitted headers
        }
        self._pool = ConnectionPool(url, headers, tls=httpx2.create_ssl_context(), read_seconds=read_seconds)
        self.with_raw_response = SimpleNamespace(create=self._create)

    def create(self, **payload: Any) -> Any:
        """Return the completion as a dict, or a context manager that iterates over chunks. Raise `openai.APIError`."""
        return self._create(**payload).parse()

    def close(self) -> None:
        """Close all idle connections."""
        self._pool.close()

    def _create(self, **payload: Any) -> Any:
        if not OPTIONS.isdisjoint(payload):
            return self._stock.chat.completions.with_raw_response.create(**payload)
        with _openai_errors(self._request):
            response = self._pool.post(orjson.dumps(payload))
        if 300 <= response.status < 400:
            response.close()
            return self._stock.chat.completions.with_raw_response.create(**payload)
        if response.status >= 400:
            return self._raise_status_error(response, payload)
        return ChunkStream(response, self._request) if payload.get("stream") else self._parse(response)

    def _parse(self, response: Response) -> SimpleNamespace:
        with _openai_errors(self._request):
            body = orjson.loads(response.read())
        if isinstance(body, dict):
            body = {"choices": None, "system_fingerprint": None, **body}  # defaults of OpenAI's client
        return SimpleNamespace(headers=httpx2.Headers(response.headers), parse=lambda: body)

    def _raise_status_error(self, response: Response, payload: dict[str, Any]) -> Any:
        """Give the response to OpenAI's client, which chooses the class and the message of the error."""
        with _openai_errors(self._request):
            body = response.read()
        received = httpx2.Response(response.status, headers=response.headers, content=body)
        replay = httpx2.Client(transport=httpx2.MockTransport(lambda _: received))
        with replay, self._stock.with_options(http_client=replay, max_retries=0) as client:
            return client.chat.completions.create(**payload)


class ChunkStream:
    """The chunks of one streamed completion. Closing it early ends it for the provider too."""

    def __init__(self, response: Response, request: httpx2.Request) -> None:
        self._response = response
        self._request = request

    @property
    def headers(self) -> httpx2.Headers:
        return httpx2.Headers(self._response.headers)

    def parse(self) -> "ChunkStream":
        return self

    def __enter__(self) -> "ChunkStream":
        return self

    def __exit__(self, *_: object) -> None:
        self._response.close()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        rest = b""
        pieces = self._response.pieces()
        with _openai_errors(self._request):
            for piece in pause_between(pieces):
                events, rest = split_events(rest + piece)
                done = END in events
                chunks = [self._parse(event) for event in (events[: events.index(END)] if done else events)]
                yield from join_deltas(chunks)
                if done:
                    break
        # The end of the response follows its last event. Without waiting for it, no connection could be reused.
        self._response.expect_end()
        with suppress(OSError):
            deque(pieces, maxlen=0)

    def _parse(self, event: bytes) -> Any:
        chunk = orjson.loads(event)
        if error := chunk.get("error"):
            message = error.get("message") if isinstance(error, dict) else None
            raise openai.APIError(message or "An error occurred during streaming", self._request, body=error)
        for choice in chunk.get("choices") or ():
            choice.setdefault("delta", None)  # default of OpenAI's client; Azure omits it in content filter results
        return chunk


def pause_between(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the pieces, and from the second one on pause after each, so that more data arrives for the next read."""
    for number, piece in enumerate(pieces):
        taken_at = time.monotonic()
        yield piece
        if number:
            time.sleep(max(0.0, taken_at + PAUSE_SECONDS - time.monotonic()))


def split_events(data: bytes) -> tuple[list[bytes], bytes]:
    """Return the data of the complete server-sent events at the start of `data`, and the remaining bytes."""
    *blocks, rest = data.replace(b"\r\n", b"\n").split(b"\n\n")
    events = (b"\n".join(line[5:].strip() for line in block.split(b"\n") if line[:5] == b"data:") for block in blocks)
    return [event for event in events if event], rest


def join_deltas(chunks: Iterable[Any]) -> Iterator[Any]:
    """Join consecutive chunks that only have text, because each chunk costs LangChain 0.06 ms."""
    last: Any = None
    last_is_text = False
    for chunk in chunks:
        is_text = _is_text_only(chunk)
        if is_text and last_is_text:
            last["choices"][0]["delta"]["content"] += chunk["choices"][0]["delta"]["content"]
            continue
        if last is not None:
            yield last
        last, last_is_text = chunk, is_text
    if last is not None:
        yield last


def _is_text_only(chunk: Any) -> bool:
    try:
        [choice] = chunk["choices"]
        delta = choice["delta"]
        is_text = len(delta) == 1 and isinstance(delta["content"], str)
    except (KeyError, TypeError, ValueError):
        return False
    return is_text and not (choice.get("finish_reason") or choice.get("logprobs") or chunk.get("usage"))


@contextmanager
def _openai_errors(request: httpx2.Request) -> Iterator[None]:
    """Raise the errors of the connection as those of OpenAI's client."""
    try:
        yield
    except TimeoutError as error:
        raise openai.APITimeoutError(request) from error
    except OSError as error:
        raise openai.APIConnectionError(request=request) from error
