"""Doing what `steps` says, and awaiting it."""

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

import httpx2

from inturn.protocol.steps import Effect, Emit, Flow, Lost, Next, Open, Outcome, Pause, Send, Steps
from inturn.transport.connection import Connection
from inturn.transport.http import BROKEN, build, client_options, events, heard, lost, sent

Item = TypeVar("Item")
Value = TypeVar("Value")


class AsyncTransport:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.persistence = connection.persistence
        self._http = httpx2.AsyncClient(**client_options(connection))

    async def run(self, steps: Steps[Value]) -> Value:
        """The value that the steps come to. Raises `InTurnError`."""
        doing = AsyncDoing(self._http, self.connection)
        outcome: Outcome = None
        while True:
            try:
                effect = steps.send(outcome)
            except StopIteration as end:
                value: Value = end.value
                return value
            outcome = await doing.perform(effect)

    async def iterate(self, flow: Flow[Item, None]) -> AsyncIterator[Item]:
        """What the steps emit. Raises `InTurnError`."""
        doing = AsyncDoing(self._http, self.connection)
        outcome: Outcome = None
        try:
            while True:
                try:
                    effect = flow.send(outcome)
                except StopIteration:
                    return
                if isinstance(effect, Emit):
                    outcome = None
                    yield effect.item
                else:
                    outcome = await doing.perform(effect)
        finally:
            await doing.close()

    async def close(self) -> None:
        await self._http.aclose()


class AsyncDoing:
    """One run of steps, with the stream that it may have open."""

    def __init__(self, http: httpx2.AsyncClient, connection: Connection) -> None:
        self._http = http
        self._connection = connection
        self._response: httpx2.Response | None = None
        self._events: AsyncIterator[httpx2.ServerSentEvent] | None = None

    async def perform(self, effect: Effect) -> Outcome:
        try:
            return await self._perform(effect)
        except BROKEN as error:
            await self.close()
            return lost(error, self._connection)

    async def _perform(self, effect: Effect) -> Outcome:
        match effect:
            case Send(call):
                response = await self._http.send(build(self._http, call))
                return heard(response, response.content)
            case Open(call):
                await self.close()
                self._response = response = await self._http.send(build(self._http, call), stream=True)
                if response.status_code == 200:
                    self._events = aiter(events(response))
                    return heard(response, b"")
                return heard(response, await response.aread())
            case Next():
                event = await anext(self._events, None) if self._events else None
                return sent(event) if event else Lost("The stream has ended.")
            case Pause(seconds):
                await asyncio.sleep(seconds)
                return None

    async def close(self) -> None:
        """No stream is open."""
        if self._response:
            await self._response.aclose()
        self._response, self._events = None, None
