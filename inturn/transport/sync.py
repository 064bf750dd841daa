"""Doing what `steps` says, and waiting for it."""

import time
from collections.abc import Iterator
from typing import TypeVar

import httpx2

from inturn.protocol.steps import Effect, Emit, Flow, Lost, Next, Open, Outcome, Pause, Send, Steps
from inturn.transport.connection import Connection
from inturn.transport.http import BROKEN, build, client_options, events, heard, lost, sent

Item = TypeVar("Item")
Value = TypeVar("Value")


class Transport:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.persistence = connection.persistence
        self._http = httpx2.Client(**client_options(connection))

    def run(self, steps: Steps[Value]) -> Value:
        """The value that the steps come to. Raises `InTurnError`."""
        doing = Doing(self._http, self.connection)
        outcome: Outcome = None
        while True:
            try:
                outcome = doing.perform(steps.send(outcome))
            except StopIteration as end:
                value: Value = end.value
                return value

    def iterate(self, flow: Flow[Item, None]) -> Iterator[Item]:
        """What the steps emit. Raises `InTurnError`."""
        doing = Doing(self._http, self.connection)
        outcome: Outcome = None
        try:
            while True:
                effect = flow.send(outcome)
                if isinstance(effect, Emit):
                    outcome = None
                    yield effect.item
                else:
                    outcome = doing.perform(effect)
        except StopIteration:
            return
        finally:
            doing.close()

    def close(self) -> None:
        self._http.close()


class Doing:
    """One run of steps, with the stream that it may have open."""

    def __init__(self, http: httpx2.Client, connection: Connection) -> None:
        self._http = http
        self._connection = connection
        self._response: httpx2.Response | None = None
        self._events: Iterator[httpx2.ServerSentEvent] = iter(())

    def perform(self, effect: Effect) -> Outcome:
        try:
            return self._perform(effect)
        except BROKEN as error:
            self.close()
            return lost(error, self._connection)

    def _perform(self, effect: Effect) -> Outcome:
        match effect:
            case Send(call):
                response = self._http.send(build(self._http, call))
                return heard(response, response.content)
            case Open(call):
                self.close()
                self._response = response = self._http.send(build(self._http, call), stream=True)
                if response.status_code == 200:
                    self._events = iter(events(response))
                    return heard(response, b"")
                return heard(response, response.read())
            case Next():
                event = next(self._events, None)
                return sent(event) if event else Lost("The stream has ended.")
            case Pause(seconds):
                time.sleep(seconds)
                return None

    def close(self) -> None:
        """No stream is open."""
        if self._response:
            self._response.close()
        self._response, self._events = None, iter(())
