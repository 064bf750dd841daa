"""Streaming a session over any number of connections, each of which continues where the one before it broke."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Generic

from inturn.errors import ServiceBroken
from inturn.events import (
    Accepted,
    Done,
    Erased,
    Event,
    MessageDeleted,
    QueueChanged,
    SessionChange,
    SessionEvent,
    Snapshot,
    Updated,
)
from inturn.protocol import requests
from inturn.protocol.event_stream import RUN_EVENTS, has_events
from inturn.protocol.parsing import to_queue, to_session
from inturn.protocol.retry import RequestRetryPolicy
from inturn.protocol.steps import (
    Emit,
    EmittingSteps,
    ReadEvent,
    ServerSentEvent,
    Sleep,
    TransportFailure,
    send_with_retries,
)
from inturn.values import Json, TurnT


class SessionStream(Generic[TurnT]):
    """The events of one session for one reader, with the reader's cursor."""

    def __init__(
        self,
        session_id: str,
        user_id: str | None,
        *,
        after: str | None,
        until_idle: bool,
        build: Callable[[Json], TurnT],
        retry_policy: RequestRetryPolicy,
    ) -> None:
        self._session_id = session_id
        self._user_id = user_id
        self._after = after
        self._until_idle = until_idle
        self._build = build
        self._retry_policy = retry_policy.while_waiting()
        self._fruitless_connections = 0  # consecutive connections without an event
        self._parsers: Mapping[str, Callable[[Json], Event[TurnT] | SessionChange[TurnT] | None]] = {
            **RUN_EVENTS,
            "snapshot": self._to_snapshot,
            "accepted": lambda body: Accepted(build(body["turn"])),
            "queue": lambda body: QueueChanged({turn["turn_id"]: to_queue(turn["queue"]) for turn in body["turns"]}),
            "message.deleted": lambda _: MessageDeleted(),
            "updated": lambda body: Updated(to_session(body["session"])),
            "erased": lambda _: Erased(),
            # Without a turn if the session was erased, which has another event.
            "done": lambda body: Done(build(body["turn"])) if body["turn"] else None,
        }

    def read(self) -> EmittingSteps[SessionEvent[TurnT], None]:
        """Emit events until the session is idle or erased. Raise `InTurnError` if the service stays away."""
        while True:
            request = requests.stream_session(
                self._session_id, user_id=self._user_id, after=self._after, until_idle=self._until_idle
            )
            if not has_events((yield from send_with_retries(request, self._retry_policy, as_stream=True))):
                return
            if (yield from self._emit_until_disconnected()):
                return
            self._fruitless_connections = min(self._fruitless_connections + 1, self._retry_policy.max_retries)
            yield Sleep(self._retry_policy.backoff(self._fruitless_connections))

    def _emit_until_disconnected(self) -> EmittingSteps[SessionEvent[TurnT], bool]:
        """Emit the events of one connection. Return true after `Erased`."""
        while True:
            sent: ServerSentEvent | TransportFailure = yield ReadEvent()
            if isinstance(sent, TransportFailure):
                return False
            self._fruitless_connections = 0
            self._after = sent.id or self._after
            for event in self._parse(sent):
                yield Emit(event)
                if isinstance(event.event, Erased):
                    return True

    def _parse(self, sent: ServerSentEvent) -> Iterator[SessionEvent[TurnT]]:
        """Yield the event, unless this version does not know it. Raise `ServiceBroken`."""
        if sent.event not in self._parsers:
            return
        try:
            body = json.loads(sent.data)
            event = self._parsers[sent.event](body)
            turn_id = body.get("turn_id")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ServiceBroken(f"This is not an event of InTurn ({type(error).__name__}: {error}).") from error
        if event is not None:
            yield SessionEvent(id=self._after or "", turn_id=turn_id, event=event, name=sent.event, raw=body)

    def _to_snapshot(self, body: Json) -> Snapshot[TurnT]:
        turns = tuple(self._build(turn) for turn in body["turns"])
        return Snapshot(to_session(body["session"]), turns, body["text"], is_gap=body["reason"] == "events_gone")
