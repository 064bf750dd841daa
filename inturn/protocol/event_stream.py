"""Watching a turn over any number of connections: what its reader is told, put together, is the answer."""

import json
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from inturn.errors import ServiceBroken, StreamsFull, TurnNotFound
from inturn.events import Delta, Done, Event, Reset, StatusChanged
from inturn.protocol import requests
from inturn.protocol.parsing import to_status
from inturn.protocol.retry import Persistence
from inturn.protocol.steps import Emit, Flow, Lost, Next, Pause, ServerSent, Steps, ask, wait
from inturn.values import Json, TurnData

Turn = TypeVar("Turn", bound=TurnData)
NO_CONTENT = 204


class Watch(Generic[Turn]):
    """One reader of one turn, and its place."""

    def __init__(self, turn_id: str, make: Callable[[Json], Turn], persistence: Persistence) -> None:
        self._turn_id = turn_id
        self._make = make
        self._persistence = persistence.while_waiting()
        self._last_event_id: str | None = None
        self._status: StatusChanged | None = None
        self._text = ""
        self._fruitless = 0  # connections in a row that told nothing new

    def follow(self) -> Flow[Event[Turn], None]:
        """Emits events until `Done`. Raises `InTurnError` when the service stays away, or knows no such turn."""
        while (yield from self._open()):
            if (yield from self._tell()):
                return
            yield from self._before_coming_again()
        turn = yield from wait(self._turn_id, self._make, self._persistence, timeout_seconds=None)
        for event in self._end(turn):
            yield Emit(event)

    def _open(self) -> Steps[bool]:
        """Whether there is a stream: no, if those before told nothing, if there is no place, or if all is told."""
        if self._fruitless > self._persistence.max_retries:  # a proxy may cut each stream of a turn that only waits
            return False
        call = requests.events(self._turn_id, after=self._last_event_id)
        try:
            answer = yield from ask(call, self._persistence, opening=True)
        except StreamsFull:
            return False
        if answer.status == NO_CONTENT:
            return False
        if not answer.headers.get("content-type", "").startswith("text/event-stream"):
            raise ServiceBroken("The answer is no event stream. Is the URL right?", status=answer.status)
        return True

    def _tell(self) -> Flow[Event[Turn], bool]:
        """Emits what one connection brings. Whether that was all."""
        while True:
            sent: ServerSent | Lost = yield Next()
            if isinstance(sent, Lost):
                return False
            for event in self._understand(sent):
                yield Emit(event)
                if isinstance(event, Done):
                    return True

    def _before_coming_again(self) -> Steps[None]:
        self._fruitless += 1
        yield Pause(self._persistence.jitter(self._fruitless))

    def _understand(self, sent: ServerSent) -> Iterator[Event[Turn]]:
        """Raises `ServiceBroken`, or `TurnNotFound` when the turn's session was deleted."""
        if sent.id and sent.id != self._last_event_id:
            self._last_event_id, self._fruitless = sent.id, 0
        try:
            yield from self._events(sent.event, sent.data)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ServiceBroken(f"An event is not what InTurn sends ({type(error).__name__}: {error}).") from error

    def _events(self, name: str, data: str) -> Iterator[Event[Turn]]:
        match name:
            case "status":
                status = to_status(json.loads(data))
                if status != self._status:  # each connection begins with it
                    self._status = status
                    yield status
            case "delta":
                text = json.loads(data)["text"]
                self._text += text
                yield Delta(text)
            case "reset":
                self._text = ""
                yield Reset(json.loads(data)["reason"])
            case "done":
                yield from self._end(self._made(json.loads(data)["turn"]))

    def _made(self, body: Json | None) -> Turn:
        if body is None:
            raise TurnNotFound("The turn's session was deleted.", code="turn_not_found")
        return self._make(body)

    def _end(self, turn: Turn) -> Iterator[Event[Turn]]:
        """What the reader lacks of the answer, and that the turn has ended."""
        told, answer = self._text, turn.output
        if answer is not None and not answer.startswith(told):
            yield Reset("replaced")
            told = ""
        if answer is not None and answer != told:
            yield Delta(answer.removeprefix(told))
        yield Done(turn)
