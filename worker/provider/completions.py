"""A thin client for chat completions that `ChatOpenAI` uses instead of OpenAI's own: it posts and yields plain dicts.

OpenAI's client turns each outgoing message and each incoming chunk into typed objects, and `ChatOpenAI` turns them back
into dicts, which costs 8.8 of the 12.6 ms of a short turn. Calls that need more than a turn does (options of the call,
a redirect) go to OpenAI's client. Errors are its classes, so that handlers for them work here too.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import Any, cast

import httpx2
import openai
import orjson

from worker.provider.completion_chunks import ChunkNormalizer, normalize_completion, plain_text, text_chunk
from worker.provider.event_stream import END, EventDecoder, parse_json, split_documents
from worker.provider.http import ConnectionPool, Response
from worker.provider.reported_errors import find_error

# Readers get an event at most every 50 ms, so a pause of 20 ms is not visible. Handling each delta separately costs
# 0.06 ms: an answer of 100 words, 10 ms apart, costs 3.7 ms with this pause and 6.5 ms without.
PAUSE_SECONDS = 0.02

# An answer is whole once its finish reason has arrived. The provider may still send the usage, within this time.
USAGE_SECONDS = 0.5

# Arguments of a call that are not part of the request body.
OPTIONS = frozenset({"extra_headers", "extra_query", "timeout"})


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
            return self._hand_over(payload)
        body = payload if "extra_body" not in payload else _with_extra(**payload)
        with _openai_errors(self._request):
            response = self._pool.post(orjson.dumps(body))
        if 300 <= response.status < 400 or not response.is_readable:
            response.close()
            return self._hand_over(payload)
        if response.status >= 400:
            return self._raise_status_error(response, payload)
        return ChunkStream(response, self._request) if payload.get("stream") else self._parse(response)

    def _hand_over(self, payload: dict[str, Any]) -> Any:
        return StockCompletions(self._stock).create_raw(**payload)

    def _parse(self, response: Response) -> SimpleNamespace:
        with _openai_errors(self._request):
            body = parse_json(response.read())
        if isinstance(body, dict):
            _raise_reported_error(body, self._request)
            body = {"choices": None, "system_fingerprint": None, **body}  # defaults of OpenAI's client
            body = normalize_completion(body)
        return SimpleNamespace(headers=httpx2.Headers(response.headers), parse=lambda: body)

    def _raise_status_error(self, response: Response, payload: dict[str, Any]) -> Any:
        """Give the response to OpenAI's client, which chooses the class and the message of the error."""
        with _openai_errors(self._request):
            body = response.read()
        received = httpx2.Response(response.status, headers=response.headers, content=body)
        replay = httpx2.Client(transport=httpx2.MockTransport(lambda _: received))
        with replay, self._stock.with_options(http_client=replay, max_retries=0) as client:
            return client.chat.completions.create(**payload)


class StockCompletions:
    """OpenAI's own client, for calls that the thin client cannot make, with the same normalization of the chunks."""

    def __init__(self, stock: openai.OpenAI) -> None:
        self._stock = stock
        self.with_raw_response = SimpleNamespace(create=self.create_raw)

    def create(self, **payload: Any) -> Any:
        """Return the completion, or a context manager that iterates over chunks. Raise `openai.APIError`."""
        return self.create_raw(**payload).parse()

    def create_raw(self, **payload: Any) -> Any:
        """Return an object with the headers and a method `parse`, as OpenAI's client does."""
        response = self._stock.chat.completions.with_raw_response.create(**payload)
        if not payload.get("stream"):
            return response
        return SimpleNamespace(headers=response.headers, parse=lambda: StockChunkStream(response.parse()))


class StockChunkStream:
    """The chunks of OpenAI's own client as dicts."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __enter__(self) -> "StockChunkStream":
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        answer = Answer(self._stream.response.request)
        chunks = (chunk.model_dump(warnings=False, exclude_unset=True) for chunk in self._stream if chunk)
        try:
            for chunk in chunks:
                yield from answer.add(chunk)
        except (openai.APIError, OSError, ValueError):
            if not answer.is_whole:
                raise
        yield from answer.end()


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
        answer, decoder = Answer(self._request), EventDecoder()
        pieces = self._response.pieces()
        try:
            with _openai_errors(self._request):
                for piece in pause_between(pieces):
                    yield from answer.read(decoder.feed(piece))
                    if answer.ends_at is not None:
                        if (seconds_left := answer.ends_at - time.monotonic()) <= 0:
                            break
                        self._response.expect_within(seconds_left)
        except openai.APIConnectionError:
            yield from answer.read_rest(decoder.finish())
            if not answer.is_whole:  # otherwise nothing is missing but the usage
                raise
        else:
            yield from answer.read_rest(decoder.finish())
        yield from answer.end()
        # The end of the response follows its last event. Without waiting for it, no connection could be reused.
        self._response.drain(pieces)


class Answer:
    """One streamed answer: its events become chunks. It is whole once its finish reason has arrived."""

    def __init__(self, request: httpx2.Request) -> None:
        self.is_whole = False
        self.ends_at: float | None = None  # time of the monotonic clock at which no more events need to be read
        self._is_done = False
        self._is_empty = True
        self._request = request
        self._normalizer = ChunkNormalizer()

    def read(self, events: Iterable[tuple[bytes, bytes]]) -> list[dict[str, Any]]:
        """Return the chunks in these events. Raise `openai.APIError` if one reports an error, or `ValueError`.

        Consecutive chunks that only have text are joined, because each chunk costs LangChain 0.06 ms.
        """
        chunks: list[dict[str, Any]] = []
        texts: list[str] = []
        is_plain = self._is_plain
        for name, data in events:
            if self._is_done or data.startswith(END):
                self._is_done, self.ends_at = True, 0.0
                break
            parsed = _parse_fast(data)
            if is_plain and name != b"error" and (text := plain_text(parsed)) is not None:
                texts.append(text)
                continue
            _flush(texts, chunks)
            chunks += self._read_other(name, data, parsed)
            is_plain = self._is_plain
        _flush(texts, chunks)
        return chunks

    def read_rest(self, events: Iterable[tuple[bytes, bytes]]) -> list[dict[str, Any]]:
        """Return the chunks in what follows the last complete event; the half of an event has none."""
        try:
            return self.read(events)
        except (ValueError, TypeError, AttributeError):
            return []

    def add(self, chunk: Any) -> list[dict[str, Any]]:
        """Return the normalized chunk, or nothing for a keep-alive. Raise as `read` does."""
        if not chunk:
            return []
        if not isinstance(chunk, dict):
            raise ValueError("an event of the stream is not a JSON object")
        _raise_reported_error(chunk, self._request, is_whole=self.is_whole)
        self._is_empty = False
        chunk = self._normalizer.normalize(chunk)
        if self._normalizer.finish_reason is not None and (not self.is_whole or _has_text(chunk)):
            # Some providers send a reason with each chunk, so more text starts the time again.
            self.is_whole, self.ends_at = True, time.monotonic() + USAGE_SECONDS
        return [chunk]

    def end(self) -> list[dict[str, Any]]:
        """Return the last chunk, unless there was none."""
        return [] if self._is_empty else [self._normalizer.last_chunk()]

    @property
    def _is_plain(self) -> bool:
        """Return whether a chunk that only has text can be passed on as it is."""
        return not (self._is_empty or self.is_whole or self._normalizer.half)

    def _read_other(self, name: bytes, data: bytes, parsed: Any) -> list[dict[str, Any]]:
        try:
            if name == b"error":
                return self._read_error(data)
            if parsed is not None:
                return self.add(parsed)
            if len(documents := split_documents(data)) > 1:
                return self.read((name, document) for document in documents)
            return self.add(parse_json(data))
        except (ValueError, TypeError, AttributeError):
            if self.is_whole:
                return []
            raise

    def _read_error(self, data: bytes) -> list[dict[str, Any]]:
        """Raise the error in an event with this name, which may have any form."""
        error: Any = data.decode(errors="replace")
        with suppress(ValueError):
            error = parse_json(data)
        body = error if isinstance(error, dict) and error.get("error") else {"error": error or True}
        _raise_reported_error(body, self._request, is_whole=self.is_whole)
        return []


def _with_extra(*, extra_body: dict[str, Any] | None, **payload: Any) -> dict[str, Any]:
    """Return the request body with these fields in it, as OpenAI's client sends it."""
    return {**payload, **(extra_body or {})}


def _parse_fast(data: bytes) -> Any:
    """Return the value of a JSON document; None if it is null, or only Python's own parser may accept it."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None


def _flush(texts: list[str], chunks: list[dict[str, Any]]) -> None:
    if texts:
        chunks.append(text_chunk("".join(texts)))
        texts.clear()


def _has_text(chunk: dict[str, Any]) -> bool:
    return any(choice["delta"] and choice["delta"].get("content") for choice in chunk["choices"])


def _raise_reported_error(chunk: dict[str, Any], request: httpx2.Request, *, is_whole: bool = False) -> None:
    """Raise the error that a chunk reports, if any. A whole answer stays whole, unless it was filtered."""
    error = find_error(chunk)
    if error is None or (is_whole and not error.is_filtered):
        return
    raise openai.APIError(error.message or "An error occurred during streaming", request, body=error.body)


def pause_between(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the pieces, and from the second one on pause after each, so that more data arrives for the next read."""
    for number, piece in enumerate(pieces):
        taken_at = time.monotonic()
        yield piece
        if number:
            time.sleep(max(0.0, taken_at + PAUSE_SECONDS - time.monotonic()))


@contextmanager
def _openai_errors(request: httpx2.Request) -> Iterator[None]:
    """Raise the errors of the connection as those of OpenAI's client."""
    try:
        yield
    except TimeoutError as error:
        raise openai.APITimeoutError(request) from error
    except OSError as error:
        raise openai.APIConnectionError(request=request) from error
