"""Streaming a turn over any number of connections: the emitted text adds up to the answer whatever happens to them."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Generic, TypeAlias

from inturn.errors import ServiceBroken, StreamsFull, TurnNotFound
from inturn.events import DataSent, Delta, Done, Event, Reasoning, Reset, StatusChanged, ToolCalled
from inturn.protocol import requests
from inturn.protocol.parsing import to_status, to_tool_called
from inturn.protocol.requests import Response
from inturn.protocol.retry import RequestRetryPolicy
from inturn.protocol.steps import (
    Emit,
    EmittingSteps,
    ReadEvent,
    ServerSentEvent,
    Sleep,
    Steps,
    TransportFailure,
    send_with_retries,
    wait_for_turn,
)
from inturn.values import Json, TurnT

NO_CONTENT = 204

RunEvent: TypeAlias = StatusChanged | Delta | Reasoning | ToolCalled | DataSent | Reset

# The events of a turn but its end; all others are of a newer service.
RUN_EVENTS: Mapping[str, Callable[[Json], RunEvent]] = MappingProxyType(
    {
        "status": to_status,
        "delta": lambda body: Delta(body["text"]),
        "reasoning": lambda body: Reasoning(body["text"]),
        "tool": to_tool_called,
        "data": lambda body: DataSent(body["name"], body["data"]),
        "reset": lambda body: Reset(body["reason"]),
    }
)


class EventStream(Generic[TurnT]):
    """The events of one turn for one reader, with the reader's cursor and the text it has received."""

    def __init__(
        self,
        turn_id: str,
        build: Callable[[Json], TurnT],
        retry_policy: RequestRetryPolicy,
        *,
        after: str | None = None,
    ) -> None:
        """`after`: the id of the last event that the reader has seen."""
        self._turn_id = turn_id
        self._build = build
        self._retry_policy = retry_policy.while_waiting()
        self._last_event_id = after
        self._status: StatusChanged | None = None
        self._text = None if after else ""  # unknown if the reader began in the middle
        self._has_seen_all = False
        self._fruitless_connections = 0  # consecutive connections without a new event

    def read(self) -> EmittingSteps[Event[TurnT], None]:
        """Emit events until `Done`. Raise `InTurnError` if the service stays away or does not know the turn."""
        while (yield from self._connect()):
            if (yield from self._emit_until_disconnected()):
                return
            self._fruitless_connections += 1
            yield Sleep(self._retry_policy.backoff(self._fruitless_connections))
        turn = yield from wait_for_turn(self._turn_id, self._build, self._retry_policy, timeout_seconds=None)
        if self._text is None and not self._has_seen_all:
            self._text = ""
            yield Emit(Reset("replaced"))
        for event in self._final_events(turn):
            yield Emit(event)

    def _connect(self) -> Steps[bool]:
        """Open the stream. Return false if the rest must come by long poll.

        That is so if the service has too many streams, if it has no more events of this turn, or if the connections
        before brought nothing new: a proxy may cut every stream of a turn that only waits.
        """
        if self._fruitless_connections > self._retry_policy.max_retries:
            return False
        request = requests.stream_events(self._turn_id, after=self._last_event_id)
        try:
            response = yield from send_with_retries(request, self._retry_policy, as_stream=True)
        except StreamsFull:
            return False
        self._has_seen_all = response.status == NO_CONTENT
        return has_events(response)

    def _emit_until_disconnected(self) -> EmittingSteps[Event[TurnT], bool]:
        """Emit the events of one connection. Return true after `Done`."""
        while True:
            sent: ServerSentEvent | TransportFailure = yield ReadEvent()
            if isinstance(sent, TransportFailure):
                return False
            for event in self._parse(sent):
                yield Emit(replace(event, id=self._last_event_id or ""))
                if isinstance(event, Done):
                    return True

    def _parse(self, sent: ServerSentEvent) -> Iterator[Event[TurnT]]:
        """Yield what the reader needs. Raise `ServiceBroken`, or `TurnNotFound` if the session was deleted."""
        if sent.id and sent.id != self._last_event_id:
            self._last_event_id, self._fruitless_connections = sent.id, 0
        try:
            if sent.event == "done":
                yield from self._final_events(self._to_turn(json.loads(sent.data)["turn"]))
            elif sent.event in RUN_EVENTS:
                yield from self._to_events(RUN_EVENTS[sent.event](json.loads(sent.data)))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ServiceBroken(f"This is not an event of InTurn ({type(error).__name__}: {error}).") from error

    def _to_events(self, event: RunEvent) -> Iterator[Event[TurnT]]:
        match event:
            case StatusChanged():
                if event == self._status:  # every connection begins with the current status
                    return
                self._status = event
            case Delta(text) if self._text is not None:
                self._text += text
            case Reset():
                self._text = ""
        yield event

    def _to_turn(self, body: Json | None) -> TurnT:
        if body is None:
            raise TurnNotFound("The turn's session was deleted.", code="turn_not_found")
        return self._build(body)

    def _final_events(self, turn: TurnT) -> Iterator[Event[TurnT]]:
        """Yield the part of the answer that the reader has not received, then `Done`."""
        received, answer = self._text, turn.output
        if received is not None and answer is not None:
            if not answer.startswith(received):
                yield Reset("replaced")
                received = ""
            if answer != received:
                yield Delta(answer.removeprefix(received))
        yield Done(turn)


def has_events(response: Response) -> bool:
    """Return whether the response is a stream of events; false for 204. Raise `ServiceBroken` for anything else."""
    if response.status == NO_CONTENT:
        return False
    if not response.headers.get("content-type", "").startswith("text/event-stream"):
        raise ServiceBroken("The response is not an event stream. Is the URL right?", status=response.status)
    return True
