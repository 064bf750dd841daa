"""A response that OpenAI's own client has received, with the interface of `worker.provider.http.Response`."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any

import httpx2
import openai

from worker.provider.http import END_SECONDS


class StockResponse:
    """A response to a request over a proxy or with options, which only OpenAI's client can send."""

    def __init__(self, stock: openai.OpenAI, payload: dict[str, Any]) -> None:
        """Send the request. Raise `openai.APIError`."""
        self._exit = ExitStack()
        opened = stock.chat.completions.with_streaming_response.create(**payload)
        self._response: httpx2.Response = self._exit.enter_context(opened).http_response
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
