"""The blocking client. `AsyncClient` has the same methods."""

import builtins
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Self, Unpack

from inturn.errors import InTurnError
from inturn.events import Event, SessionEvent
from inturn.files import Files
from inturn.parts import PartBody
from inturn.protocol import requests, steps
from inturn.protocol.outcomes import require_completed
from inturn.protocol.parsing import to_assistants, to_service_status, turn_fields
from inturn.protocol.resources import SessionSteps, TurnSteps, UserSteps
from inturn.transport.connection import DEFAULT_RETRIES, ConnectionSettings
from inturn.transport.sync import Transport
from inturn.values import (
    Assistant,
    Changes,
    ForkOptions,
    Json,
    Message,
    MessageBody,
    Readiness,
    ServiceStatus,
    Session,
    SessionChanges,
    SessionFilters,
    Status,
    TurnBody,
    TurnData,
    TurnOptions,
    UnansweredQuestion,
)


class Client:
    """The blocking client of one InTurn service. Threads may share it. Use it in a `with`, or call `close`.

    `base_url` and `api_key` default to `INTURN_URL` and `INTURN_API_KEY`. Raises `ConfigurationError`.
    """

    def __init__(
        self, base_url: str | None = None, *, api_key: str | None = None, max_retries: int = DEFAULT_RETRIES
    ) -> None:
        self.connection = ConnectionSettings.resolve(
            os.environ, base_url=base_url, api_key=api_key, max_retries=max_retries
        )
        self._transport = Transport(self.connection)
        self.turns = Turns(self._transport)
        self.sessions = Sessions(self._transport, self.turns)
        self.files = Files(self._transport)
        self.operator = Operator(self._transport)
        self.users = Users(self._transport)
        self.assistants = Assistants(self._transport)

    def readiness(self) -> Readiness:
        """Return whether the service can accept turns, with its number of workers. Raise `Unavailable`."""
        return self._transport.run(steps.fetch_readiness())

    def status(self) -> ServiceStatus:
        """Return load and health. Raise `Forbidden` if the key lacks the scope `operator` or `observer`."""
        fetch = steps.fetch(requests.get_service_status(), to_service_status, self._transport.retry_policy)
        return self._transport.run(fetch)

    def usage(
        self,
        *,
        by: str = "",
        since: str | None = None,
        until: str | None = None,
        user_id: str | None = None,
        assistant: str | None = None,
        model: str | None = None,
    ) -> Json:
        """Return the tokens and cost of the tenant's turns, as the OpenAPI document describes `GET /v1/usage`.

        `by` groups them by `day`, `user`, `assistant` or `model`, joined by commas. `since` and `until` are UTC days
        such as 2026-11-01, both included; by default the last seven.
        """
        query = {"by": by, "since": since, "until": until}
        query |= {"user_id": user_id, "assistant": assistant, "model": model}
        request = requests.get_usage(query)
        return self._transport.run(steps.fetch_optional(request, self._transport.retry_policy))

    def close(self) -> None:
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Client of {self.connection.base_url}>"


@dataclass(frozen=True, kw_only=True, repr=False)
class Turn(TurnData):
    """A snapshot of a turn; its methods return newer ones."""

    turns: "Turns" = field(compare=False)

    def wait(self, timeout: float | None = None) -> "Turn":
        """Return the ended turn. Raise `StillRunning` after `timeout` seconds; the turn continues."""
        return self if self.has_ended else self.turns.wait(self.id, timeout)

    def check(self) -> Self:
        """Return this turn if it is completed. Raise `NoAnswer` or `StillRunning` otherwise."""
        return require_completed(self)

    def stream(self, *, after: str | None = None) -> Iterator[Event["Turn"]]:
        """Yield all events until `Done`, across broken connections and restarts of the service."""
        return self.turns.stream(self.id, after=after)

    def cancel(self, *, keep: bool = False) -> "Turn":
        """Cancel the turn and return it; a turn that has already ended stays as it is.

        `keep`: the question and the partial answer of a running turn stay in the history.
        """
        return self.turns.cancel(self.id, keep=keep)

    def delete(self) -> None:
        """Delete the turn with its messages and its result. Raise `SessionBusy` or `TurnNotLast`."""
        self.turns.delete(self.id)

    def retry(self) -> "Turn":
        """Submit the input of this failed turn again, as a new turn at the end. Raise `TurnNotFailed`."""
        return self.turns.retry(self.id)

    def regenerate(self, input: str | None = None) -> "Turn":
        """Submit a turn that replaces this one, the last of its session, when it completes; with `input`, an edit.

        If it does not complete, the answer of this one stays. Raise `TurnNotLast` or `TurnNotCommitted`.
        """
        return self.turns.regenerate(self.id, input)


class Turns:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._steps = TurnSteps(self.build, transport.retry_policy)

    def create(
        self,
        session_id: str,
        input: str | Sequence[PartBody],
        *,
        idempotency_key: str | None = None,
        if_version: int | None = None,
        **options: Unpack[TurnOptions],
    ) -> Turn:
        """Submit a turn and return it. The same `idempotency_key` returns the same turn. Raise `Refused`.

        `input` is text, or a list of parts such as `client.files.upload("cat.png").part`. With `if_version`, raise
        `SessionChanged` if the session has another version.
        """
        body: TurnBody = {"session_id": session_id, "input": input, **options}
        return self._transport.run(self._steps.create(body, idempotency_key, if_version))

    def get(self, turn_id: str) -> Turn:
        """Return a turn. Raise `TurnNotFound` or `TurnExpired`."""
        return self._transport.run(self._steps.get(turn_id))

    def list(
        self,
        *,
        status: Status | None = None,
        session_id: str | None = None,
        user_id: str | None = None,
        limit: int | None = None,
    ) -> Iterator[Turn]:
        """Yield turns, newest first, at most `limit`; pages are fetched as needed."""
        turns = self._steps.list(status=status, session_id=session_id, user_id=user_id, limit=limit)
        return self._transport.iterate(turns)

    def batch(
        self, bodies: Iterable[TurnBody], *, idempotency_key: str | None = None
    ) -> "builtins.list[Turn | InTurnError]":
        """Submit many turns. Return for each the accepted turn or the error, in order."""
        return self._transport.run(self._steps.batch(bodies, idempotency_key))

    def wait(self, turn_id: str, timeout: float | None = None) -> Turn:
        """Wait for a turn by its id, like `Turn.wait`."""
        return self._transport.run(self._steps.wait(turn_id, timeout))

    def stream(self, turn_id: str, *, after: str | None = None) -> Iterator[Event[Turn]]:
        """Stream a turn by its id, like `Turn.stream`."""
        return self._transport.iterate(self._steps.stream(turn_id, after))

    def cancel(self, turn_id: str, *, keep: bool = False) -> Turn:
        """Cancel a turn by its id, like `Turn.cancel`."""
        return self._transport.run(self._steps.cancel(turn_id, keep=keep))

    def delete(self, turn_id: str) -> None:
        """Delete a turn by its id, like `Turn.delete`."""
        self._transport.run(self._steps.delete(turn_id))

    def retry(self, turn_id: str, *, idempotency_key: str | None = None, if_version: int | None = None) -> Turn:
        """Retry a turn by its id, like `Turn.retry`."""
        return self._transport.run(self._steps.retry(turn_id, idempotency_key, if_version))

    def regenerate(
        self,
        turn_id: str,
        input: str | None = None,
        *,
        idempotency_key: str | None = None,
        if_version: int | None = None,
        **changes: Unpack[Changes],
    ) -> Turn:
        """Regenerate a turn by its id, like `Turn.regenerate`, also with another assistant or variables."""
        steps = self._steps.regenerate(turn_id, input, changes, idempotency_key, if_version)
        return self._transport.run(steps)

    def build(self, body: Json) -> Turn:
        """Return the turn with these fields of the service's JSON."""
        return Turn(**turn_fields(body), turns=self)


class Sessions:
    def __init__(self, transport: Transport, turns: Turns) -> None:
        self._transport = transport
        self._steps = SessionSteps(turns.build, transport.retry_policy)

    def list(self, *, limit: int | None = None, **filters: Unpack[SessionFilters]) -> Iterator[Session]:
        """Yield sessions, the most recently active first, at most `limit`."""
        return self._transport.iterate(self._steps.list(filters, limit))

    def count(self, **filters: Unpack[SessionFilters]) -> int:
        """Return the number of sessions; the service counts at most 5,000."""
        return self._transport.run(self._steps.count(filters))

    def get(self, session_id: str, *, user_id: str | None = None) -> Session:
        """Return a session. Raise `SessionNotFound`."""
        return self._transport.run(self._steps.get(session_id, user_id))

    def update(
        self,
        session_id: str,
        *,
        user_id: str | None = None,
        if_version: int | None = None,
        **changes: Unpack[SessionChanges],
    ) -> Session:
        """Change the session and return it. With `if_version`, raise `SessionChanged` for another version."""
        return self._transport.run(self._steps.update(session_id, changes, user_id, if_version))

    def fork(
        self,
        session_id: str,
        *,
        user_id: str | None = None,
        idempotency_key: str | None = None,
        **options: Unpack[ForkOptions],
    ) -> Session:
        """Begin another session with the messages of this one and return it.

        Raise `SessionNotEmpty`, `TurnNotFound` or `TurnNotCommitted`.
        """
        return self._transport.run(self._steps.fork(session_id, options, user_id, idempotency_key))

    def delete(self, session_id: str, *, user_id: str | None = None) -> None:
        """Cancel the session's live turns and erase its history, turns and results."""
        self._transport.run(self._steps.delete(session_id, user_id))

    def stream(
        self, session_id: str, *, user_id: str | None = None, after: str | None = None, until_idle: bool = False
    ) -> Iterator[SessionEvent[Turn]]:
        """Yield the events of all turns of a session, from now on or after the `id` of an event.

        With `until_idle` the stream ends when no turn is live. Raise `SessionNotFound`.
        """
        return self._transport.iterate(self._steps.stream(session_id, user_id, after, until_idle=until_idle))

    def messages(
        self,
        session_id: str,
        *,
        user_id: str | None = None,
        order: Literal["asc", "desc"] = "asc",
        limit: int | None = None,
    ) -> Iterator[Message]:
        """Yield the committed messages, at most `limit`. Raise `SessionNotFound`."""
        return self._transport.iterate(self._steps.messages(session_id, user_id, order, limit))

    def unanswered(self, session_id: str, *, user_id: str | None = None) -> builtins.list[UnansweredQuestion]:
        """Return the last questions that failed, expired or were cancelled, oldest first. Raise `SessionNotFound`."""
        return self._transport.run(self._steps.unanswered(session_id, user_id))

    def import_messages(
        self, session_id: str, messages: Iterable[Message | MessageBody], *, user_id: str | None = None
    ) -> Session:
        """Begin an empty session with these messages, all or none. Repeating the same import changes nothing.

        Raises `SessionNotEmpty`, `SessionBusy` or `InvalidRequest`.
        """
        return self._transport.run(self._steps.import_messages(session_id, messages, user_id))


class Users:
    """All data of one user of the tenant. Its sessions are `sessions.list(user_id=…)`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._steps = UserSteps(transport.retry_policy)

    def export(self, user_id: str) -> Iterator[Json]:
        """Yield the user's sessions, each followed by its messages and by its turns that are kept, as they arrive.

        Raise `ServiceBroken` at the end if some are missing.
        """
        return self._transport.iterate(self._steps.export(user_id))

    def delete(self, user_id: str) -> Json:
        """Erase all sessions, turns and results of the user, and return the receipt once nothing is left."""
        return self._transport.run(self._steps.erase(user_id))


class Operator:
    """The endpoints for operators. Their responses are the JSON objects that the OpenAPI document describes."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | None] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> Json:
        """Call `/operator/<path>` and return the response; {} if it is empty. A value None is left out.

        The request may be sent several times. Raise `Forbidden` if the key lacks the scope.
        """
        request = requests.call_operator(method, path, query=query, body=body)
        return self._transport.run(steps.fetch_optional(request, self._transport.retry_policy))


class Assistants:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> builtins.list[Assistant]:
        """Return all configured assistants."""
        fetch = steps.fetch(requests.list_assistants(), to_assistants, self._transport.retry_policy)
        return self._transport.run(fetch)
