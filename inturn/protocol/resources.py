"""The resources of the service, as the steps to take; `Client` and `AsyncClient` take them."""

import builtins
import uuid
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Generic, TypeVar

from inturn.errors import InTurnError, InvalidRequest
from inturn.events import Event
from inturn.protocol import requests, steps
from inturn.protocol.event_stream import Watch
from inturn.protocol.parsing import problem_error, read, to_list, to_message, to_session
from inturn.protocol.requests import Call
from inturn.protocol.retry import Persistence
from inturn.protocol.steps import Flow, Steps
from inturn.values import Json, Message, MessageBody, Session, TurnBody, TurnData

Turn = TypeVar("Turn", bound=TurnData)

PAGE = 100  # the most that the service gives at once
BATCH = 100  # the most that it takes at once
IMPORT_BYTES = 8 * 1024 * 1024  # the largest history that it takes


def new_key() -> str:
    """Of an idempotency key: nobody else has it."""
    return uuid.uuid4().hex


class TurnSteps(Generic[Turn]):
    """`make` turns a turn's JSON into the kind of turn that the client gives out."""

    def __init__(self, make: Callable[[Json], Turn], persistence: Persistence) -> None:
        self._make = make
        self._persistence = persistence

    def create(self, body: TurnBody, key: str | None) -> Steps[Turn]:
        return self._fetch(requests.submit(body, key=key or new_key()))

    def get(self, turn_id: str) -> Steps[Turn]:
        return self._fetch(requests.read_turn(turn_id))

    def wait(self, turn_id: str, timeout: float | None) -> Steps[Turn]:
        return steps.wait(turn_id, self._make, self._persistence, timeout_seconds=timeout)

    def stream(self, turn_id: str) -> Flow[Event[Turn], None]:
        return Watch(turn_id, self._make, self._persistence).follow()

    def cancel(self, turn_id: str) -> Steps[Turn]:
        return self._fetch(requests.cancel(turn_id))

    def retry(self, turn_id: str, key: str | None) -> Steps[Turn]:
        return self._fetch(requests.retry(turn_id, key=key or new_key()))

    def list(
        self, *, status: str | None, session_id: str | None, user_id: str | None, limit: int | None
    ) -> Flow[Turn, None]:
        def page(after: str | None) -> Call:
            return requests.list_turns(
                status=status, session_id=session_id, user_id=user_id, after=after, limit=page_size(limit)
            )

        return steps.pages(page, self._make, self._persistence, most=limit)

    def batch(self, bodies: Iterable[TurnBody], key: str | None) -> Steps["builtins.list[Turn | InTurnError]"]:
        """Of each turn what became of it. Parts of a hundred go one after the other, each with a key of its own."""
        base = key or new_key()
        outcomes: list[Turn | InTurnError] = []
        for number, part in enumerate(parts(bodies)):
            answer = yield from steps.ask(requests.batch(part, key=f"{base}-{number}"), self._persistence)
            outcomes += read(answer, lambda body: [self._outcome(item) for item in to_list(body)])
        return outcomes

    def _fetch(self, call: Call) -> Steps[Turn]:
        return steps.fetch(call, self._make, self._persistence)

    def _outcome(self, item: Json) -> Turn | InTurnError:
        if "turn" in item:
            return self._make(item["turn"])
        return problem_error(item["problem"], status=item["status"])


class SessionSteps:
    def __init__(self, persistence: Persistence) -> None:
        self._persistence = persistence

    def list(self, limit: int | None) -> Flow[Session, None]:
        def page(after: str | None) -> Call:
            return requests.list_sessions(after=after, limit=page_size(limit))

        return steps.pages(page, to_session, self._persistence, most=limit)

    def get(self, session_id: str, user_id: str | None) -> Steps[Session]:
        return steps.fetch(requests.read_session(session_id, user_id=user_id), to_session, self._persistence)

    def delete(self, session_id: str, user_id: str | None) -> Steps[None]:
        yield from steps.ask(requests.erase_session(session_id, user_id=user_id), self._persistence)

    def messages(self, session_id: str, user_id: str | None, order: str, limit: int | None) -> Flow[Message, None]:
        def page(after: str | None) -> Call:
            return requests.messages(session_id, user_id=user_id, order=order, after=after, limit=page_size(limit))

        return steps.pages(page, to_message, self._persistence, most=limit)

    def import_messages(
        self, session_id: str, messages: Iterable[Message | MessageBody], user_id: str | None
    ) -> Steps[Session]:
        call = requests.import_messages(session_id, messages, user_id=user_id)
        if call.body and len(call.body) > IMPORT_BYTES:  # the service answers before it has read that, and hangs up
            raise InvalidRequest(f"messages: must be at most {IMPORT_BYTES} bytes of JSON (they are {len(call.body)})")
        return steps.fetch(call, to_session, self._persistence)


def page_size(limit: int | None) -> int:
    return PAGE if limit is None else max(1, min(PAGE, limit))


def parts(bodies: Iterable[TurnBody]) -> Iterator[list[TurnBody]]:
    rest = iter(bodies)
    while part := list(islice(rest, BATCH)):
        yield part
