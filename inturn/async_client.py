"""The client for programs that await. `Client` has the same names, and means the same by them."""

import builtins
import os
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self, Unpack

from inturn.errors import InTurnError
from inturn.events import Event
from inturn.protocol import requests, steps
from inturn.protocol.outcomes import checked
from inturn.protocol.parsing import to_assistants, to_service_status, turn_fields
from inturn.protocol.resources import SessionSteps, TurnSteps
from inturn.transport.asynchronous import AsyncTransport
from inturn.transport.connection import DEFAULT_RETRIES, Connection
from inturn.values import (
    Assistant,
    Json,
    Message,
    MessageBody,
    Readiness,
    ServiceStatus,
    Session,
    Status,
    TurnBody,
    TurnData,
    TurnOptions,
)


class AsyncClient:
    """Speaks to one InTurn. Belongs to one event loop; `await` its `close`, or use it in an `async with`.

    `base_url` and `api_key` default to `INTURN_URL` and `INTURN_API_KEY`. Raises `ConfigurationError`.
    """

    def __init__(
        self, base_url: str | None = None, *, api_key: str | None = None, max_retries: int = DEFAULT_RETRIES
    ) -> None:
        given = Connection.of(os.environ, base_url=base_url, api_key=api_key, max_retries=max_retries)
        self._begin(given)

    @classmethod
    def of(cls, connection: Connection) -> Self:
        """A client of the service that another one speaks to."""
        client = cls.__new__(cls)
        client._begin(connection)
        return client

    def _begin(self, connection: Connection) -> None:
        self.connection = connection
        self._transport = AsyncTransport(connection)
        self.turns = AsyncTurns(self._transport)
        self.sessions = AsyncSessions(self._transport)
        self.assistants = AsyncAssistants(self._transport)

    async def readiness(self) -> Readiness:
        """Whether the service can take turns, and how many workers it has. Raises `Unavailable`."""
        return await self._transport.run(steps.readiness())

    async def status(self) -> ServiceStatus:
        """How the service does. Raises `Forbidden` for a key without the scope `operator` or `observer`."""
        call = steps.fetch(requests.service_status(), to_service_status, self._transport.persistence)
        return await self._transport.run(call)

    async def close(self) -> None:
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<AsyncClient of {self.connection.base_url}>"


@dataclass(frozen=True, kw_only=True, repr=False)
class AsyncTurn(TurnData):
    """A turn as it was when it was asked for; its methods give a later one."""

    turns: "AsyncTurns" = field(compare=False)

    async def wait(self, timeout: float | None = None) -> "AsyncTurn":
        """The turn, once it has ended. Raises `StillRunning` after `timeout` seconds; the turn goes on."""
        return self if self.has_ended else await self.turns.wait(self.id, timeout)

    def check(self) -> Self:
        """The turn itself, which is completed. Raises `NoAnswer`, or `StillRunning`."""
        return checked(self)

    def stream(self) -> "AsyncIterator[Event[AsyncTurn]]":
        """Its events from the beginning until `Done`, across broken connections and restarts of the service."""
        return self.turns.stream(self.id)

    async def cancel(self) -> "AsyncTurn":
        """The turn, which has ended; one that had ended before is as it was."""
        return await self.turns.cancel(self.id)

    async def retry(self) -> "AsyncTurn":
        """A new turn, the last of its session, that asks what this failed one asked. Raises `TurnNotFailed`."""
        return await self.turns.retry(self.id)


class AsyncTurns:
    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport
        self._steps = TurnSteps(self._make, transport.persistence)

    async def create(
        self, session_id: str, input: str, *, idempotency_key: str | None = None, **options: Unpack[TurnOptions]
    ) -> AsyncTurn:
        """The turn, accepted: it will end. Raises `Refused`. With the same key it is the same turn."""
        body: TurnBody = {"session_id": session_id, "input": input, **options}
        return await self._transport.run(self._steps.create(body, idempotency_key))

    async def get(self, turn_id: str) -> AsyncTurn:
        """Raises `TurnNotFound` or `TurnExpired`."""
        return await self._transport.run(self._steps.get(turn_id))

    def list(
        self,
        *,
        status: Status | None = None,
        session_id: str | None = None,
        user_id: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[AsyncTurn]:
        """Newest first, all or `limit` of them; more are fetched as they are wanted."""
        flow = self._steps.list(status=status, session_id=session_id, user_id=user_id, limit=limit)
        return self._transport.iterate(flow)

    async def batch(
        self, bodies: Iterable[TurnBody], *, idempotency_key: str | None = None
    ) -> "builtins.list[AsyncTurn | InTurnError]":
        """What became of each, in order: an accepted turn, or the error that would have been raised."""
        return await self._transport.run(self._steps.batch(bodies, idempotency_key))

    async def wait(self, turn_id: str, timeout: float | None = None) -> AsyncTurn:
        """As `AsyncTurn.wait`, for whoever kept the id."""
        return await self._transport.run(self._steps.wait(turn_id, timeout))

    def stream(self, turn_id: str) -> AsyncIterator[Event[AsyncTurn]]:
        """As `AsyncTurn.stream`."""
        return self._transport.iterate(self._steps.stream(turn_id))

    async def cancel(self, turn_id: str) -> AsyncTurn:
        """As `AsyncTurn.cancel`."""
        return await self._transport.run(self._steps.cancel(turn_id))

    async def retry(self, turn_id: str, *, idempotency_key: str | None = None) -> AsyncTurn:
        """As `AsyncTurn.retry`."""
        return await self._transport.run(self._steps.retry(turn_id, idempotency_key))

    def _make(self, body: Json) -> AsyncTurn:
        return AsyncTurn(**turn_fields(body), turns=self)


class AsyncSessions:
    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport
        self._steps = SessionSteps(transport.persistence)

    def list(self, *, limit: int | None = None) -> AsyncIterator[Session]:
        """The last active first."""
        return self._transport.iterate(self._steps.list(limit))

    async def get(self, session_id: str, *, user_id: str | None = None) -> Session:
        """Raises `SessionNotFound`."""
        return await self._transport.run(self._steps.get(session_id, user_id))

    async def delete(self, session_id: str, *, user_id: str | None = None) -> None:
        """There is no such session: what was live in it is cancelled, its history, turns and results are erased."""
        await self._transport.run(self._steps.delete(session_id, user_id))

    def messages(
        self,
        session_id: str,
        *,
        user_id: str | None = None,
        order: Literal["asc", "desc"] = "asc",
        limit: int | None = None,
    ) -> AsyncIterator[Message]:
        """The committed history, all or `limit` of it. Raises `SessionNotFound`."""
        return self._transport.iterate(self._steps.messages(session_id, user_id, order, limit))

    async def import_messages(
        self, session_id: str, messages: Iterable[Message | MessageBody], *, user_id: str | None = None
    ) -> Session:
        """The session, which was empty and idle, has these messages; the same ones a second time change nothing.

        Raises `SessionNotEmpty`, `SessionBusy`, `InvalidRequest`; then it has none of them.
        """
        return await self._transport.run(self._steps.import_messages(session_id, messages, user_id))


class AsyncAssistants:
    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def list(self) -> builtins.list[Assistant]:
        """All that are configured."""
        call = steps.fetch(requests.assistants(), to_assistants, self._transport.persistence)
        return await self._transport.run(call)
