"""A thin client for chat completions that `ChatOpenAI` uses instead of OpenAI's own: it posts and yields plain dicts.

OpenAI's client turns each outgoing message and each incoming chunk into typed objects, and `ChatOpenAI` turns them back
into dicts, which costs 8.8 of the 12.6 ms of a short turn. Requests that need more than a socket (a proxy, options of
the call, a redirect) are sent by OpenAI's client, and their responses are read here too. Errors are its classes, so
that handlers for them work here too.
"""

from types import SimpleNamespace
from typing import Any, cast

import httpx2
import openai
import orjson

from worker.provider.answer import to_completion
from worker.provider.chunk_stream import AnswerLimits, ChunkStream, Receiver, openai_errors
from worker.provider.http import ConnectionPool, Response
from worker.provider.http_client import MAX_ERROR_BYTES, refuse_unsafe_redirect, tls_context
from worker.provider.request_ids import CLIENT_HEADER, current_request, read_server_id
from worker.provider.stock_client import StockResponse

# Arguments of a call that are not part of the request body.
OPTIONS = frozenset({"extra_headers", "extra_query", "timeout"})


class Completions:
    """Replacement for `client.chat.completions` of OpenAI's client, as far as `ChatOpenAI` uses it."""

    def __init__(
        self, stock: openai.OpenAI, *, limits: AnswerLimits, read_seconds: float, is_direct: bool = True
    ) -> None:
        """Send through OpenAI's client unless `is_direct`."""
        self._stock = stock
        self._limits = limits
        self.is_direct = is_direct
        url = f"{str(stock.base_url).rstrip('/')}/chat/completions"
        if stock.default_query:
            url = str(httpx2.URL(url).copy_merge_params(cast(dict[str, str], stock.default_query)))
        self._request = httpx2.Request("POST", url)  # part of each error
        headers = {
            name: value
            for name, value in {**stock.auth_headers, **stock.default_headers}.items()
            if isinstance(value, str)  # the others are markers for omitted headers
        }
        self._pool = ConnectionPool(url, headers, tls=tls_context(), read_seconds=read_seconds)
        self.with_raw_response = SimpleNamespace(create=self._create)

    def create(self, **payload: Any) -> Any:
        """Return the completion as a dict, or a context manager that iterates over chunks. Raise `openai.APIError`."""
        return self._create(**payload).parse()

    def close(self) -> None:
        """Close all idle connections."""
        self._pool.close()

    def _create(self, **payload: Any) -> Any:
        if not self.is_direct or not OPTIONS.isdisjoint(payload):
            return self._receive(StockResponse(self._stock, payload), payload)
        body = payload if "extra_body" not in payload else _with_extra(**payload)
        request = current_request()
        header = f"{CLIENT_HEADER}: {request.client_id}" if request else ""
        with openai_errors(self._request):
            response = self._pool.post(orjson.dumps(body), header=header)
        read_server_id(response.raw_headers)
        if 300 <= response.status < 400 or not response.is_readable:
            response.close()
            refuse_unsafe_redirect(httpx2.Response(response.status, headers=response.headers, request=self._request))
            return self._receive(StockResponse(self._stock, payload), payload)
        if response.status >= 400:
            return self._raise_status_error(response, payload)
        return self._receive(response, payload)

    def _receive(self, response: Receiver, payload: dict[str, Any]) -> Any:
        if payload.get("stream"):
            return ChunkStream(response, self._request, self._limits)
        return self._parse(response)

    def _parse(self, response: Receiver) -> SimpleNamespace:
        max_bytes = self._limits.event_bytes
        with openai_errors(self._request):
            content = read_at_most(max_bytes + 1, response)
        completion = to_completion(content, self._request, max_bytes)
        return SimpleNamespace(headers=httpx2.Headers(response.headers), parse=lambda: completion)

    def _raise_status_error(self, response: Response, payload: dict[str, Any]) -> Any:
        """Give the response to OpenAI's client, which chooses the class and the message of the error."""
        with openai_errors(self._request):
            body = read_at_most(MAX_ERROR_BYTES, response)
        received = httpx2.Response(response.status, headers=response.headers, content=body)
        replay = httpx2.Client(transport=httpx2.MockTransport(lambda _: received), trust_env=False)
        with replay, self._stock.with_options(http_client=replay, max_retries=0) as client:
            return client.chat.completions.create(**payload)


def read_at_most(max_bytes: int, response: Receiver) -> bytes:
    """Return the body, or its beginning if it is larger. Raise `OSError`."""
    body, pieces = b"", response.pieces()
    for piece in pieces:
        body += piece
        if len(body) >= max_bytes:
            break
    response.close()
    return body[:max_bytes]


def _with_extra(*, extra_body: dict[str, Any] | None, **payload: Any) -> dict[str, Any]:
    """Return the request body with these fields in it, as OpenAI's client sends it."""
    return {**payload, **(extra_body or {})}
