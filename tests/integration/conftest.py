"""The store and its scripts on a real server; time passes when the test says so."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.server import Server
from turns import keys
from turns.connection import connect
from turns.settings import Settings
from turns.store import TurnStore
from turns.turn import Answer, Claim, Turn, TurnRequest


@pytest.fixture
def store_with(server: Server, settings: Settings) -> Iterator[Callable[..., TurnStore]]:
    """Makes a store under other settings."""
    with connect(server.url, timeout_seconds=5, retries=0, max_connections=2) as client:
        yield lambda **changes: TurnStore(client, settings.model_copy(update=changes))


@pytest.fixture
def accept(store: TurnStore) -> Callable[..., Turn]:
    def accept(said: str = "hello", *, session_id: str = "s", **more: Any) -> Turn:
        return store.accept(TurnRequest(session_id=session_id, input=said, **more)).turn

    return accept


@pytest.fixture
def claim(store: TurnStore) -> Callable[[Turn], Claim]:
    """Claims a turn that can be claimed."""

    def claim(turn: Turn) -> Claim:
        claimed = store.claim(turn.id, worker="w", model="m")
        assert claimed is not None
        return claimed

    return claim


@pytest.fixture
def commit(store: TurnStore) -> Callable[[Claim], None]:
    return lambda claim: store.commit(claim, answer_to(claim), tail="")


@pytest.fixture
def lapse(server: Server) -> Callable[[Turn], None]:
    """The time at which somebody should look at the turn has come: its lease ran out, or its hint was lost."""

    # Workers have been beating all the time; else the store was away, and no lease runs out.
    server.raw.zadd(keys.WORKERS.name, {"w": 2**53})

    def lapse(turn: Turn) -> None:
        assert server.raw.zadd(keys.DUE.name, {turn.id: 1}, xx=True, ch=True) == 1

    return lapse


@pytest.fixture
def overtaken(
    claim: Callable[[Turn], Claim], lapse: Callable[[Turn], None], store: TurnStore
) -> Callable[[Turn], tuple[Claim, Claim]]:
    """Lets a worker sleep through its lease and another one take the turn; gives the claims of both."""

    def overtaken(turn: Turn) -> tuple[Claim, Claim]:
        old = claim(turn)
        lapse(turn)
        store.rescue(worker="", hint="")
        return old, claim(turn)

    return overtaken


@pytest.fixture
def hints(server: Server) -> Callable[[], list[str]]:
    """Takes all hints from the broker's list, oldest first; a hint of these tests is the turn's id alone."""
    server.raw.hset(keys.SERVICE.name, "hint", "turn_" + "0" * 32)
    return lambda: [hint.decode() for hint in reversed(server.raw.lpop(keys.HINTS.name, 1000) or [])]


def answer_to(claim: Claim) -> Answer:
    return Answer(
        question_message=f'{{"q": "{claim.turn_id}"}}',
        answer_message=f'{{"a": "{claim.turn_id}"}}',
        output=f"answer to {claim.input}",
        model="m",
        usage=None,
    )


def history(server: Server, session: str = "s") -> list[str]:
    """The stored messages of a session, oldest first."""
    return [item.decode() for item in reversed(server.raw.lrange(keys.HISTORY(session), 0, -1))]


def events(server: Server, turn: Turn) -> list[tuple[str, str]]:
    """The turn's event stream as (entry id, type, or the text of a delta)."""
    entries = server.raw.xrange(keys.EVENTS(turn.id))
    return [
        (entry.decode(), fields[b"text" if fields[b"type"] == b"delta" else b"type"].decode())
        for entry, fields in entries
    ]
