"""How a request is made, without making it: generators that say what to do next, and are told what came of it.

`Transport` does it and waits, `AsyncTransport` does it and awaits; so every decision stands here, once.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from inturn.errors import ServiceBroken, StillRunning, Unreachable
from inturn.protocol import requests
from inturn.protocol.parsing import read, retry_after_seconds, to_error, to_list, to_readiness
from inturn.protocol.requests import Answer, Call
from inturn.protocol.retry import Persistence
from inturn.values import Json, Readiness, TurnData

Item = TypeVar("Item")
Value = TypeVar("Value")
Turn = TypeVar("Turn", bound=TurnData)


@dataclass(frozen=True, slots=True)
class Send:
    """Send the call; the outcome is an `Answer`, or `Lost`."""

    call: Call


@dataclass(frozen=True, slots=True)
class Pause:
    """Do nothing for so long."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Open:
    """Send the call and leave a successful answer open, to be read by `Next`; the outcome is as that of `Send`."""

    call: Call


@dataclass(frozen=True, slots=True)
class Next:
    """Read on; the outcome is a `ServerSent`, or `Lost` when the stream has ended or broken."""


@dataclass(frozen=True, slots=True)
class Emit(Generic[Item]):
    """Give this to whoever iterates."""

    item: Item


@dataclass(frozen=True, slots=True)
class Lost:
    """There was no answer, or no more of it."""

    why: str


@dataclass(frozen=True, slots=True)
class ServerSent:
    """One server-sent event. `id` is that of the last event that had one."""

    event: str
    data: str
    id: str


Effect: TypeAlias = Send | Pause | Open | Next
Outcome: TypeAlias = Answer | Lost | ServerSent | None
Steps: TypeAlias = Generator[Effect, Any, Value]
Flow: TypeAlias = Generator[Effect | Emit[Item], Any, Value]


def ask(call: Call, persistence: Persistence, *, opening: bool = False) -> Steps[Answer]:
    """A successful answer, of the call or of its repetition. Raises `InTurnError`."""
    attempt = 1
    while True:
        outcome: Answer | Lost = yield (Open(call) if opening else Send(call))
        if isinstance(outcome, Answer) and outcome.is_success:
            return outcome
        error = Unreachable(outcome.why) if isinstance(outcome, Lost) else to_error(outcome)
        pause = persistence.pause_after(attempt, error)
        if pause is None:
            raise error
        yield Pause(pause)
        attempt += 1


def fetch(call: Call, make: Callable[[Json], Value], persistence: Persistence) -> Steps[Value]:
    """The answer's body, as the value that `make` makes of it."""
    return read((yield from ask(call, persistence)), make)


def wait(
    turn_id: str, make: Callable[[Json], Turn], persistence: Persistence, *, timeout_seconds: float | None
) -> Steps[Turn]:
    """The turn, once it has ended. Raises `StillRunning` when the time is over first."""
    now = persistence.clock
    until = None if timeout_seconds is None else now() + timeout_seconds
    while True:
        left = requests.LONGEST_WAIT_SECONDS if until is None else max(0.0, until - now())
        asked_seconds = min(requests.LONGEST_WAIT_SECONDS, left)
        began = now()
        answer = yield from ask(requests.read_turn(turn_id, wait_seconds=asked_seconds), persistence.while_waiting())
        turn = read(answer, make)
        if turn.has_ended:
            return turn
        if until is not None and now() >= until:
            raise StillRunning(turn)
        if now() - began < asked_seconds / 2:  # it holds no more long-polls, or is about to stop
            pause = retry_after_seconds(answer) or 1.0
            yield Pause(pause if until is None else min(pause, max(0.0, until - now())))


def pages(
    call: Callable[[str | None], Call], make: Callable[[Json], Item], persistence: Persistence, *, most: int | None
) -> Flow[Item, None]:
    """Emits the items of all pages, or so many of them; a page is fetched when its first item is wanted."""
    after, count = None, 0
    while True:
        answer = yield from ask(call(after), persistence)
        for item in read(answer, lambda body: [make(found) for found in to_list(body)]):
            if most is not None and count >= most:
                return
            yield Emit(item)
            count += 1
        after = read(answer, lambda body: body["after"])
        if after is None or count == most:
            return
        after = str(after)


def readiness() -> Steps[Readiness]:
    """What the service says about itself, also when it says that it is not well. Raises `InTurnError`."""
    outcome: Answer | Lost = yield Send(requests.readiness())
    if isinstance(outcome, Lost):
        raise Unreachable(outcome.why)
    try:
        return read(outcome, to_readiness)
    except ServiceBroken:
        if outcome.is_success:
            raise
        raise to_error(outcome) from None
