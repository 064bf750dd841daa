"""The asyncio transport: runs the steps of `inturn.protocol` with `httpx2.AsyncClient`."""

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

import httpx2

from inturn.protocol.requests import Request
from inturn.protocol.steps import (
    Effect,
    EffectResult,
    Emit,
    EmittingSteps,
    OpenStream,
    ReadEvent,
    ReadLine,
    Send,
    Sleep,
    Steps,
    TransportFailure,
)
from inturn.transport import http
from inturn.transport.connection import ConnectionSettings

Item = TypeVar("Item")
Value = TypeVar("Value")


class AsyncTransport:
    def __init__(self, connection: ConnectionSettings) -> None:
        self.connection = connection
        self.retry_policy = connection.retry_policy
        self._client = http.create_client(httpx2.AsyncClient, connection)

    async def run(self, steps: Steps[Value]) -> Value:
        """Return the value of the steps. Raise `InTurnError`."""
        runner = AsyncStepRunner(self._client, self.connection)
        result: EffectResult = None
        while True:
            try:
                effect = steps.send(result)
            except StopIteration as end:
                value: Value = end.value
                return value
            result = await runner.perform(effect)

    async def iterate(self, steps: EmittingSteps[Item, None]) -> AsyncIterator[Item]:
        """Yield the items that the steps emit. Raise `InTurnError`."""
        runner = AsyncStepRunner(self._client, self.connection)
        result: EffectResult = None
        try:
            while True:
                try:
                    effect = steps.send(result)
                except StopIteration:
                    return
                if isinstance(effect, Emit):
                    result = None
                    yield effect.item
                else:
                    result = await runner.perform(effect)
        finally:
            await runner.close()

    async def close(self) -> None:
        await self._client.aclose()


class AsyncStepRunner:
    """Performs the effects of one run of steps and holds the stream that they may open."""

    def __init__(self, client: httpx2.AsyncClient, connection: ConnectionSettings) -> None:
        self._client = client
        self._connection = connection
        self._response: httpx2.Response | None = None
        self._events: AsyncIterator[httpx2.ServerSentEvent] | None = None
        self._lines: AsyncIterator[str] | None = None

    async def perform(self, effect: Effect) -> EffectResult:
        """Return the result of the effect; network errors become a `TransportFailure`."""
        try:
            return await self._perform(effect)
        except http.TRANSPORT_ERRORS as error:
            await self.close()
            return http.to_failure(error, self._connection)

    async def _perform(self, effect: Effect) -> EffectResult:
        match effect:
            case Send(request):
                response = await self._send(request)
                return http.to_response(response, response.content)
            case OpenStream(request):
                await self.close()
                self._response = response = await self._client.send(
                    http.build_request(self._client, request), stream=True
                )
                if response.status_code == 200:
                    self._events, self._lines = aiter(http.event_source(response)), response.aiter_lines()
                    return http.to_response(response, b"")
                return http.to_response(response, await response.aread())
            case ReadEvent():
                event = await anext(self._events, None) if self._events else None
                return http.to_event(event) if event else TransportFailure("The stream has ended.")
            case ReadLine():
                line = await anext(self._lines, None) if self._lines else None
                return line or TransportFailure("The stream has ended.")
            case Sleep(seconds):
                await asyncio.sleep(seconds)
                return None

    async def _send(self, request: Request, *, as_stream: bool = False) -> httpx2.Response:
        return await self._client.send(http.build_request(self._client, request), stream=as_stream)

    async def close(self) -> None:
        """Close the stream, if one is open."""
        if self._response:
            await self._response.aclose()
        self._response = self._events = self._lines = None
