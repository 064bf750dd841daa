"""The HTTP clients of OpenAI's own client: proxies, certificates, redirects, and the size of error responses."""

import asyncio
import os
from collections.abc import Callable, Iterator
from functools import lru_cache
from ssl import SSLContext
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx2
import openai

from turns.config.network import OPENAI_PROXY
from turns.domain.error_codes import Code
from turns.domain.errors import ModelError, ModelErrorKind

MAX_ERROR_BYTES = 65_536  # of an error response; what follows is not read


def build_http_client() -> httpx2.Client:
    """Return a client that uses the proxies and certificates of the environment."""
    return openai.DefaultHttpxClient(
        verify=tls_context(), proxy=os.environ.get(OPENAI_PROXY) or None, event_hooks={"response": [check_response]}
    )


def build_async_http_client() -> httpx2.AsyncClient:
    """Return the same client for chains that call their model from coroutines, in any event loop."""
    return ClientPerLoop(_build_async)


class ClientPerLoop(httpx2.AsyncClient):
    """A client that sends each request with a client of the running event loop.

    The connections of an `AsyncClient` belong to the loop that opened them. A chain may run in any loop, such as one
    that `asyncio.run` creates for a call and closes after it.
    """

    def __init__(self, build: Callable[[], httpx2.AsyncClient]) -> None:
        super().__init__(transport=httpx2.AsyncBaseTransport())  # never used, and cheaper than the default
        self._build = build
        self._clients: dict[asyncio.AbstractEventLoop, httpx2.AsyncClient] = {}

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            self._forget_closed_loops()
            self._clients[loop] = self._build()
        return await self._clients[loop].send(request, **options)

    def _forget_closed_loops(self) -> None:
        """Drop the clients of closed loops. Nothing can close their connections but the garbage collector."""
        for loop in list(self._clients):
            if loop.is_closed():
                self._clients.pop(loop, None)


def _build_async() -> httpx2.AsyncClient:
    return openai.DefaultAsyncHttpxClient(
        verify=tls_context(), proxy=os.environ.get(OPENAI_PROXY) or None, event_hooks={"response": [_check_async]}
    )


def tls_context() -> SSLContext:
    """Return the one context of this process; building one takes 20 ms."""
    return _build_tls_context(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@lru_cache(maxsize=8)
def _build_tls_context(_file: str | None, _directory: str | None) -> SSLContext:
    return httpx2.create_ssl_context()


def check_response(response: httpx2.Response) -> None:
    """Refuse a redirect to another host, and shorten the body of an error. Raise `ModelError`."""
    refuse_unsafe_redirect(response)
    if response.status_code >= 400 and isinstance(response.stream, httpx2.SyncByteStream):
        response.stream = ShortenedStream(response.stream)


async def _check_async(response: httpx2.Response) -> None:
    refuse_unsafe_redirect(response)


def refuse_unsafe_redirect(response: httpx2.Response) -> None:
    """Raise `ModelError` if the conversation would reach another server, be sent in clear, or not be sent at all."""
    if not response.has_redirect_location:
        return
    before = response.request.url
    after = before.join(response.headers["location"])
    is_same = (after.scheme, after.host, after.port) == (before.scheme, before.host, before.port)
    is_upgrade = (before.scheme, after.scheme, after.host) == ("http", "https", before.host)
    if not is_same and not is_upgrade:
        raise _refusal("redirect to another host refused", response)
    if response.status_code not in {307, 308}:
        raise _refusal("redirect refused, because it would turn the request into a GET", response)


def _refusal(message: str, response: httpx2.Response) -> ModelError:
    return ModelError(
        Code.PROVIDER_REJECTED, ModelErrorKind.HOPELESS, message=message, provider_status=response.status_code
    )


class ShortenedStream(httpx2.SyncByteStream):
    """The beginning of a body."""

    def __init__(self, stream: httpx2.SyncByteStream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for piece in self._stream:
            yield piece[: MAX_ERROR_BYTES - size]
            size += len(piece)
            if size >= MAX_ERROR_BYTES:
                break

    def close(self) -> None:
        self._stream.close()


def is_proxied(url: str) -> bool:
    """Return whether a proxy may be set for the URL: OpenAI's client uses proxies, the thin one does not.

    Only plain names in `NO_PROXY` count here. OpenAI's client evaluates its networks and ports.
    """
    if os.environ.get(OPENAI_PROXY):
        return True
    address, proxies = urlsplit(url), getproxies()
    host = (address.hostname or "").lower()
    exempt = [entry.strip().lower() for entry in proxies.get("no", "").split(",")]
    is_exempt = any(entry in {"*", host} or (entry.startswith(".") and host.endswith(entry)) for entry in exempt)
    return bool(proxies.get(address.scheme) or proxies.get("all")) and not is_exempt
