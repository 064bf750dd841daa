"""The steps for each method of `client.turns` and `client.sessions`; both clients run the same ones."""

import builtins
import uuid
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Generic

from inturn.errors import InTurnError, InvalidRequest, ServiceBroken
from inturn.events import Event, SessionEvent
from inturn.protocol import requests, steps
from inturn.protocol.event_stream import EventStream
from inturn.protocol.parsing import (
    list_items,
    parse,
    problem_to_error,
    to_message,
    to_session,
    to_unanswered,
)
from inturn.protocol.requests import Request, Response
from inturn.protocol.retry import RequestRetryPolicy
from inturn.protocol.session_stream import SessionStream
from inturn.protocol.steps import Emit, EmittingSteps, ReadLine, Sleep, Steps, TransportFailure
from inturn.values import (
    Changes,
    ForkOptions,
    Json,
    Message,
    MessageBody,
    Session,
    SessionChanges,
    SessionFilters,
    TurnBody,
    TurnT,
    UnansweredQuestion,
)

# Limits of the service.
MAX_PAGE_SIZE = 100
MAX_BATCH_SIZE = 100
ERASE_POLL_SECONDS = 1.0  # between two requests of an erasure, each of which goes on with it
MAX_IMPORT_BYTES = 8 * 1024 * 1024


def new_idempotency_key() -> str:
    """Return a unique idempotency key."""
    return uuid.uuid4().hex


class TurnSteps(Generic[TurnT]):
    """The steps of `client.turns`. `build` converts a turn's JSON to the client's class of turns."""

    def __init__(self, build: Callable[[Json], TurnT], retry_policy: RequestRetryPolicy) -> None:
        self._build = build
        self._retry_policy = retry_policy

    def create(self, body: TurnBody, key: str | None, if_version: int | None = None) -> Steps[TurnT]:
        return self._fetch(requests.submit_turn(body, key=key or new_idempotency_key(), if_version=if_version))

    def get(self, turn_id: str) -> Steps[TurnT]:
        return self._fetch(requests.get_turn(turn_id))

    def wait(self, turn_id: str, timeout: float | None) -> Steps[TurnT]:
        return steps.wait_for_turn(turn_id, self._build, self._retry_policy, timeout_seconds=timeout)

    def stream(self, turn_id: str, after: str | None) -> EmittingSteps[Event[TurnT], None]:
        return EventStream(turn_id, self._build, self._retry_policy, after=after).read()

    def cancel(self, turn_id: str, *, keep: bool) -> Steps[TurnT]:
        return self._fetch(requests.cancel_turn(turn_id, keep=keep))

    def delete(self, turn_id: str) -> Steps[None]:
        yield from steps.send_with_retries(requests.delete_turn(turn_id), self._retry_policy)

    def retry(self, turn_id: str, key: str | None, if_version: int | None = None) -> Steps[TurnT]:
        return self._fetch(requests.retry_turn(turn_id, key=key or new_idempotency_key(), if_version=if_version))

    def regenerate(
        self, turn_id: str, text: str | None, changes: Changes, key: str | None, if_version: int | None
    ) -> Steps[TurnT]:
        key = key or new_idempotency_key()
        return self._fetch(requests.regenerate_turn(turn_id, text, changes, key=key, if_version=if_version))

    def list(
        self, *, status: str | None, session_id: str | None, user_id: str | None, limit: int | None
    ) -> EmittingSteps[TurnT, None]:
        def page_request(after: str | None) -> Request:
            return requests.list_turns(
                status=status, session_id=session_id, user_id=user_id, after=after, limit=page_size(limit)
            )

        return steps.list_pages(page_request, self._build, self._retry_policy, limit=limit)

    def batch(self, bodies: Iterable[TurnBody], key: str | None) -> Steps["builtins.list[TurnT | InTurnError]"]:
        """Return the result of each turn, in order. Chunks are sent one by one, each with a key derived from `key`."""
        base_key = key or new_idempotency_key()
        results: list[TurnT | InTurnError] = []
        for number, chunk in enumerate(chunks(bodies)):
            request = requests.submit_batch(chunk, key=f"{base_key}-{number}")
            response = yield from steps.send_with_retries(request, self._retry_policy)
            results += parse(response, lambda body: [self._batch_result(item) for item in list_items(body)])
        return results

    def _fetch(self, request: Request) -> Steps[TurnT]:
        return steps.fetch(request, self._build, self._retry_policy)

    def _batch_result(self, item: Json) -> TurnT | InTurnError:
        if "turn" in item:
            return self._build(item["turn"])
        return problem_to_error(item["problem"], status=item["status"])


class SessionSteps(Generic[TurnT]):
    """The steps of `client.sessions`. `build` as in `TurnSteps`."""

    def __init__(self, build: Callable[[Json], TurnT], retry_policy: RequestRetryPolicy) -> None:
        self._build = build
        self._retry_policy = retry_policy

    def list(self, filters: SessionFilters, limit: int | None) -> EmittingSteps[Session, None]:
        def page_request(after: str | None) -> Request:
            return requests.list_sessions(filters, after=after, limit=page_size(limit))

        return steps.list_pages(page_request, to_session, self._retry_policy, limit=limit)

    def get(self, session_id: str, user_id: str | None) -> Steps[Session]:
        return steps.fetch(requests.get_session(session_id, user_id=user_id), to_session, self._retry_policy)

    def count(self, filters: SessionFilters) -> Steps[int]:
        request = requests.count_sessions(filters)
        return steps.fetch(request, lambda body: int(body["total"]["count"]), self._retry_policy)

    def update(
        self, session_id: str, changes: SessionChanges, user_id: str | None, if_version: int | None
    ) -> Steps[Session]:
        request = requests.update_session(session_id, changes, user_id=user_id, if_version=if_version)
        return steps.fetch(request, to_session, self._retry_policy)

    def delete(self, session_id: str, user_id: str | None) -> Steps[None]:
        yield from steps.send_with_retries(requests.delete_session(session_id, user_id=user_id), self._retry_policy)

    def stream(
        self, session_id: str, user_id: str | None, after: str | None, *, until_idle: bool
    ) -> EmittingSteps[SessionEvent[TurnT], None]:
        return SessionStream(
            session_id,
            user_id,
            after=after,
            until_idle=until_idle,
            build=self._build,
            retry_policy=self._retry_policy,
        ).read()

    def fork(self, session_id: str, options: ForkOptions, user_id: str | None, key: str | None) -> Steps[Session]:
        key = key or new_idempotency_key()
        request = requests.fork_session(session_id, options, user_id=user_id, key=key)
        return steps.fetch(request, to_session, self._retry_policy)

    def messages(
        self, session_id: str, user_id: str | None, order: str, limit: int | None
    ) -> EmittingSteps[Message, None]:
        def page_request(after: str | None) -> Request:
            return requests.list_messages(session_id, user_id=user_id, order=order, after=after, limit=page_size(limit))

        return steps.list_pages(page_request, to_message, self._retry_policy, limit=limit)

    def unanswered(self, session_id: str, user_id: str | None) -> Steps["builtins.list[UnansweredQuestion]"]:
        request = requests.list_unanswered(session_id, user_id=user_id)
        return steps.fetch(request, lambda body: [to_unanswered(item) for item in body["data"]], self._retry_policy)

    def import_messages(
        self, session_id: str, messages: Iterable[Message | MessageBody], user_id: str | None
    ) -> Steps[Session]:
        """Return the session with the messages. Raise `InvalidRequest` if they are too large.

        The service answers a body that is too large before it has read it, and closes the connection; the client would
        see only a broken connection.
        """
        request = requests.import_messages(session_id, messages, user_id=user_id)
        if request.body and len(request.body) > MAX_IMPORT_BYTES:
            raise InvalidRequest(
                f"messages: must be at most {MAX_IMPORT_BYTES} bytes of JSON (they are {len(request.body)})"
            )
        return steps.fetch(request, to_session, self._retry_policy)


class UserSteps:
    """The steps of `client.users`."""

    def __init__(self, retry_policy: RequestRetryPolicy) -> None:
        self._retry_policy = retry_policy

    def export(self, user_id: str) -> EmittingSteps[Json, None]:
        """Emit the sessions, each followed by its messages and turns. Raise `ServiceBroken` if some are missing."""
        response = yield from steps.send_with_retries(requests.export_user(user_id), self._retry_policy, as_stream=True)
        while True:
            line: str | TransportFailure = yield ReadLine()
            if isinstance(line, TransportFailure):
                raise ServiceBroken("The export ended before its last line.", status=response.status)
            item = parse(Response(status=200, headers=response.headers, body=line.encode()), dict)
            if item.get("object") == "end":
                return
            yield Emit(item)

    def erase(self, user_id: str) -> Steps[Json]:
        """Return the receipt once nothing is left."""
        while True:
            receipt = yield from steps.fetch(requests.erase_user(user_id), dict, self._retry_policy)
            if receipt["status"] != "in_progress":
                return receipt
            yield Sleep(ERASE_POLL_SECONDS)


def page_size(limit: int | None) -> int:
    return MAX_PAGE_SIZE if limit is None else max(1, min(MAX_PAGE_SIZE, limit))


def chunks(bodies: Iterable[TurnBody]) -> Iterator[list[TurnBody]]:
    """Yield lists of at most `MAX_BATCH_SIZE` turns."""
    remaining = iter(bodies)
    while chunk := list(islice(remaining, MAX_BATCH_SIZE)):
        yield chunk
