"""Responses that OpenAI's own clients have received, read as those of the thin client."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, aclosing, suppress
from types import SimpleNamespace
from typing import Any

import httpx2
import openai

from worker.provider.answer import StreamedAnswer, to_completion
from worker.provider.chunk_stream import AnswerLimits, pause_seconds, too_large
from worker.provider.event_stream import EventDecoder
from worker.provider.http import END_SECONDS
from worker.provider.request_ids import CLIENT_HEADER, current_request, read_server_id


class StockResponse:
    """A response to a request over a proxy or with options, which only OpenAI's client can send."""

    def __init__(self, stock: openai.OpenAI, payload: dict[str, Any]) -> None:
        """Send the request. Raise `openai.APIError`."""
        self._exit = ExitStack()
        opened = stock.chat.completions.with_streaming_response.create(**with_request_id(payload))
        self._response: httpx2.Response = self._exit.enter_context(opened).http_response
        read_server_id(self._response.headers.raw)
        self._end_at = 0.0
        self._is_closed = False
        self._timer: threading.Timer | None = None

    @property
    def headers(self) -> httpx2.Headers:
        return self._response.headers

    def pieces(self) -> Iterator[bytes]:
        """Yield the decoded body in pieces, each as large as what has arrived. Raise `OSError`."""
        try:
            yield from self._response.iter_bytes()
        except httpx2.TimeoutException as error:
            raise TimeoutError(str(error)) from error
        except (httpx2.HTTPError, httpx2.StreamError, ValueError) as error:  # ValueError: closed by `_end`
            raise ConnectionError(str(error)) from error
        finally:
            self.close()

    def expect_within(self, seconds: float) -> None:
        """End the body after this time. The timeout of a request of this client cannot be changed any more."""
        before, self._end_at = self._end_at, time.monotonic() + seconds
        if self._timer is None or self._end_at < before - END_SECONDS:
            self._start_timer(seconds)

    def drain(self, pieces: Iterator[bytes]) -> None:
        """Wait for the end of the response, if it is close, so that the connection can be reused."""
        self.expect_within(END_SECONDS)
        with suppress(OSError):
            for _ in pieces:
                if time.monotonic() > self._end_at:
                    break
        self.close()

    def close(self) -> None:
        """Close the connection, unless the response has been read to its end."""
        self._is_closed = True
        if self._timer:
            self._timer.cancel()
        self._exit.close()

    def _start_timer(self, seconds: float) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._timer.start()

    def _end(self) -> None:
        """End the body unless the time for it has been extended."""
        if self._is_closed:  # another request may use the connection now
            return
        if (seconds_left := self._end_at - time.monotonic()) > 0:
            self._start_timer(seconds_left)
            return
        connection = self._response.extensions["network_stream"].get_extra_info("socket")
        with suppress(OSError):  # the reader has closed it
            connection.shutdown(socket.SHUT_RDWR)


def with_request_id(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call, with the id of the current request as a header unless the caller has its own."""
    request = current_request()
    if request is None:
        return payload
    return {**payload, "extra_headers": {CLIENT_HEADER: request.client_id, **(payload.get("extra_headers") or {})}}


class AsyncCompletions:
    """Replacement for `async_client.chat.completions`, for chains that call their model from coroutines."""

    def __init__(self, stock: openai.AsyncOpenAI, limits: AnswerLimits) -> None:
        self._stock = stock
        self._limits = limits
        self.with_raw_response = SimpleNamespace(create=self._create)

    async def create(self, **payload: Any) -> Any:
        """Return the completion as a dict, or a context manager that iterates over chunks. Raise `openai.APIError`."""
        return (await self._create(**payload)).parse()

    async def _create(self, **payload: Any) -> Any:
        closing = AsyncExitStack()
        opened = self._stock.chat.completions.with_streaming_response.create(**with_request_id(payload))
        response: httpx2.Response = (await closing.enter_async_context(opened)).http_response
        read_server_id(response.headers.raw)
        stream = AsyncChunkStream(response, closing, self._limits)
        if payload.get("stream"):
            return stream
        async with stream:
            content = await stream.read_at_most(self._limits.event_bytes + 1)
        completion = to_completion(content, response.request, self._limits.event_bytes)
        return SimpleNamespace(headers=response.headers, parse=lambda: completion)


class AsyncChunkStream:
    """`ChunkStream` for coroutines."""

    def __init__(self, response: httpx2.Response, closing: AsyncExitStack, limits: AnswerLimits) -> None:
        self.headers = response.headers
        self._response = response
        self._request = response.request
        self._closing = closing
        self._limits = limits
        self._ends_at: float | None = None

    def parse(self) -> "AsyncChunkStream":
        return self

    async def __aenter__(self) -> "AsyncChunkStream":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._closing.aclose()

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        answer, decoder = StreamedAnswer(self._request), EventDecoder(self._limits.event_bytes)
        try:
            async with aclosing(self._pieces()) as pieces:
                async for piece in pieces:
                    for chunk in answer.deliver(decoder.feed(piece)):
                        yield chunk
                    self._ends_at = answer.ends_at
                    if self._ends_at is not None and self._ends_at <= time.monotonic():
                        break
        except openai.APIConnectionError:
            rest = answer.read_rest(decoder.finish())
            if not answer.is_whole:  # otherwise nothing is missing but the usage
                raise
        else:
            rest = answer.read_rest(decoder.finish())
        for chunk in (*rest, *answer.end()):
            yield chunk

    async def read_at_most(self, max_bytes: int) -> bytes:
        """Return the body, or its beginning if it is larger. Raise `openai.APIConnectionError`."""
        body = b""
        async with aclosing(self._pieces()) as pieces:
            async for piece in pieces:
                body += piece
                if len(body) >= max_bytes:
                    break
        return body[:max_bytes]

    async def _pieces(self) -> AsyncGenerator[bytes, None]:
        """Yield the body as it arrives, until the answer needs no more. Raise as `Completions` does."""
        size, body = 0, self._response.aiter_bytes()
        while piece := await self._next(body):
            size += len(piece)
            if size > self._limits.stream_bytes:
                raise too_large(self._limits.stream_bytes)
            taken_at, used = time.monotonic(), time.thread_time()
            yield piece
            if size > len(piece):
                await asyncio.sleep(pause_seconds(taken_at, used))

    async def _next(self, body: AsyncIterator[bytes]) -> bytes:
        """Return the next piece, empty at the end."""
        seconds_left = None if self._ends_at is None else self._ends_at - time.monotonic()
        try:
            async with asyncio.timeout(seconds_left):
                return await anext(body, b"")
        except (TimeoutError, httpx2.TimeoutException) as error:
            raise openai.APITimeoutError(self._request) from error
        except (OSError, httpx2.HTTPError, httpx2.StreamError) as error:
            raise openai.APIConnectionError(request=self._request) from error
