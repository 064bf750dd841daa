"""Generators that decide what the client does next and yield it as effects, without doing any I/O.

A step runner in `inturn.transport`, blocking or asynchronous, executes each effect and sends back its result. So both
clients share every decision about retries, waiting and paging.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from inturn.errors import ServiceBroken, StillRunning, Unreachable
from inturn.protocol import requests
from inturn.protocol.parsing import list_items, parse, retry_after_seconds, to_error, to_readiness
from inturn.protocol.requests import Request, Response
from inturn.protocol.retry import RequestRetryPolicy
from inturn.values import Json, Readiness, TurnT

Item = TypeVar("Item")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Send:
    """Send the request. The result is a `Response` or a `TransportFailure`."""

    request: Request


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait for this long. The result is None."""

    seconds: float


@dataclass(frozen=True, slots=True)
class OpenStream:
    """Send the request and keep a successful response open for its events or lines. The result is as for `Send`."""

    request: Request


@dataclass(frozen=True, slots=True)
class ReadEvent:
    """Read the next event of the open stream. The result is a `ServerSentEvent`, or a `TransportFailure` at its end."""


@dataclass(frozen=True, slots=True)
class ReadLine:
    """Read the next line of the open stream. The result is a text, or a `TransportFailure` at its end."""


@dataclass(frozen=True, slots=True)
class Emit(Generic[Item]):
    """Pass an item to the caller that iterates. The result is None."""

    item: Item


@dataclass(frozen=True, slots=True)
class TransportFailure:
    """The connection failed, or the stream ended or broke."""

    reason: str


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One server-sent event. `id` is the id of the latest event that had one."""

    event: str
    data: str
    id: str


Effect: TypeAlias = Send | Sleep | OpenStream | ReadEvent | ReadLine
EffectResult: TypeAlias = Response | TransportFailure | ServerSentEvent | str | None
Steps: TypeAlias = Generator[Effect, Any, Value]
EmittingSteps: TypeAlias = Generator[Effect | Emit[Item], Any, Value]


def send_with_retries(
    request: Request, retry_policy: RequestRetryPolicy, *, as_stream: bool = False
) -> Steps[Response]:
    """Return the successful response to the request or to one of its repetitions. Raise `InTurnError`."""
    attempt = 1
    while True:
        result: Response | TransportFailure = yield (OpenStream(request) if as_stream else Send(request))
        if isinstance(result, Response) and result.is_success:
            return result
        error = Unreachable(result.reason) if isinstance(result, TransportFailure) else to_error(result)
        delay = retry_policy.delay_after(attempt, error)
        if delay is None:
            raise error
        yield Sleep(delay)
        attempt += 1


def fetch(request: Request, build: Callable[[Json], Value], retry_policy: RequestRetryPolicy) -> Steps[Value]:
    """Return the value that `build` makes from the response's JSON. Raise `InTurnError`."""
    return parse((yield from send_with_retries(request, retry_policy)), build)


def fetch_optional(request: Request, retry_policy: RequestRetryPolicy) -> Steps[Json]:
    """Return the response's JSON, or {} if the response has no body. Raise `InTurnError`."""
    response = yield from send_with_retries(request, retry_policy)
    return parse(response, dict) if response.body else {}


def wait_for_turn(
    turn_id: str, build: Callable[[Json], TurnT], retry_policy: RequestRetryPolicy, *, timeout_seconds: float | None
) -> Steps[TurnT]:
    """Return the ended turn. Raise `StillRunning` if it has not ended after `timeout_seconds`."""
    now = retry_policy.clock
    deadline = None if timeout_seconds is None else now() + timeout_seconds
    while True:
        remaining = requests.MAX_WAIT_SECONDS if deadline is None else max(0.0, deadline - now())
        wait_seconds = min(requests.MAX_WAIT_SECONDS, remaining)
        started_at = now()
        request = requests.get_turn(turn_id, wait_seconds=wait_seconds)
        response = yield from send_with_retries(request, retry_policy.while_waiting())
        turn = parse(response, build)
        if turn.has_ended:
            return turn
        if deadline is not None and now() >= deadline:
            raise StillRunning(turn)
        if now() - started_at < wait_seconds / 2:  # the service has too many long polls, or is about to stop
            delay = retry_after_seconds(response) or 1.0
            yield Sleep(delay if deadline is None else min(delay, max(0.0, deadline - now())))


def list_pages(
    page_request: Callable[[str | None], Request],
    build: Callable[[Json], Item],
    retry_policy: RequestRetryPolicy,
    *,
    limit: int | None,
) -> EmittingSteps[Item, None]:
    """Emit the items of all pages, at most `limit`. A page is fetched when its first item is needed."""
    after, count = None, 0
    while True:
        response = yield from send_with_retries(page_request(after), retry_policy)
        for item in parse(response, lambda body: list(map(build, list_items(body)))):
            if limit is not None and count >= limit:
                return
            yield Emit(item)
            count += 1
        after = parse(response, lambda body: body["after"])
        if after is None or count == limit:
            return
        after = str(after)


def fetch_readiness() -> Steps[Readiness]:
    """Return the service's readiness, even if the response is an error status. Raise `InTurnError`."""
    result: Response | TransportFailure = yield Send(requests.get_readiness())
    if isinstance(result, TransportFailure):
        raise Unreachable(result.reason)
    try:
        return parse(result, to_readiness)
    except ServiceBroken:
        if result.is_success:
            raise
        raise to_error(result) from None
