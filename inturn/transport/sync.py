"""The blocking transport: runs the steps of `inturn.protocol` with `httpx2.Client`."""

import time
from collections.abc import Iterator
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


class Transport:
    def __init__(self, connection: ConnectionSettings) -> None:
        self.connection = connection
        self.retry_policy = connection.retry_policy
        self._client = http.create_client(httpx2.Client, connection)

    def run(self, steps: Steps[Value]) -> Value:
        """Return the value of the steps. Raise `InTurnError`."""
        runner = StepRunner(self._client, self.connection)
        result: EffectResult = None
        while True:
            try:
                result = runner.perform(steps.send(result))
            except StopIteration as end:
                value: Value = end.value
                return value

    def iterate(self, steps: EmittingSteps[Item, None]) -> Iterator[Item]:
        """Yield the items that the steps emit. Raise `InTurnError`."""
        runner = StepRunner(self._client, self.connection)
        result: EffectResult = None
        try:
            while True:
                effect = steps.send(result)
                if isinstance(effect, Emit):
                    result = None
                    yield effect.item
                else:
                    result = runner.perform(effect)
        except StopIteration:
            return
        finally:
            runner.close()

    def close(self) -> None:
        self._client.close()


class StepRunner:
    """Performs the effects of one run of steps and holds the stream that they may open."""

    def __init__(self, client: httpx2.Client, connection: ConnectionSettings) -> None:
        self._client = client
        self._connection = connection
        self._response: httpx2.Response | None = None
        self._events: Iterator[httpx2.ServerSentEvent] = iter(())
        self._lines: Iterator[str] = iter(())

    def perform(self, effect: Effect) -> EffectResult:
        """Return the result of the effect; network errors become a `TransportFailure`."""
        try:
            return self._perform(effect)
        except http.TRANSPORT_ERRORS as error:
            self.close()
            return http.to_failure(error, self._connection)

    def _perform(self, effect: Effect) -> EffectResult:
        match effect:
            case Send(request):
                response = self._send(request)
                return http.to_response(response, response.content)
            case OpenStream(request):
                self.close()
                self._response = response = self._send(request, as_stream=True)
                if response.status_code == 200:
                    self._events, self._lines = iter(http.event_source(response)), response.iter_lines()
                    return http.to_response(response, b"")
                return http.to_response(response, response.read())
            case ReadEvent():
                event = next(self._events, None)
                return http.to_event(event) if event else TransportFailure("The stream has ended.")
            case ReadLine():
                return next(self._lines, None) or TransportFailure("The stream has ended.")
            case Sleep(seconds):
                time.sleep(seconds)
                return None

    def _send(self, request: Request, *, as_stream: bool = False) -> httpx2.Response:
        return self._client.send(http.build_request(self._client, request), stream=as_stream)

    def close(self) -> None:
        """Close the stream, if one is open."""
        if self._response:
            self._response.close()
        self._response, self._events, self._lines = None, iter(()), iter(())
