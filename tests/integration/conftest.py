"""Fixtures for the store and its scripts on a real server, in which each test makes time pass."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.cluster.nodes import ClusterNodes
from tests.support.server import Server
from turns.backend import keys
from turns.backend.client import Client
from turns.config.settings import Settings
from turns.domain.run.answer import Answer
from turns.domain.run.claim import Claim
from turns.domain.turn import Turn
from turns.domain.turn_request import TurnRequest
from turns.pauses.pauses import Pauses
from turns.store.turns import TurnStore


@pytest.fixture(scope="session")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterNodes]:
    """Start a cluster of two primaries."""
    cluster = ClusterNodes(tmp_path_factory.mktemp("cluster"), primaries=2)
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture
def cluster(nodes: ClusterNodes) -> ClusterNodes:
    """Empty the nodes and return them."""
    for node in nodes.nodes:
        node.raw.flushall()
    return nodes


@pytest.fixture
def store_with(client: Client, settings: Settings) -> Callable[..., TurnStore]:
    """Return a function that creates a store with other settings."""
    return lambda **changes: TurnStore(client, settings.model_copy(update=changes))


@pytest.fixture
def pauses(client: Client, settings: Settings) -> Pauses:
    return Pauses(client, settings)


@pytest.fixture
def accept(store: TurnStore) -> Callable[..., Turn]:
    def accept(text: str = "hello", *, session_id: str = "s", **more: Any) -> Turn:
        return store.accept(TurnRequest(session_id=session_id, input=text, **more)).turn

    return accept


@pytest.fixture
def claim(store: TurnStore) -> Callable[[Turn], Claim]:
    """Return a function that claims a turn which can be claimed."""

    def claim(turn: Turn) -> Claim:
        claimed = store.claim(turn.id, worker="w", model="m")
        assert claimed is not None
        return claimed

    return claim


@pytest.fixture
def commit(store: TurnStore) -> Callable[[Claim], None]:
    return lambda claim: store.commit(claim, answer_to(claim), tail="")


@pytest.fixture
def make_due(server: Server) -> Callable[[Turn], None]:
    """Return a function that makes a live head due, as if its lease had run out or its hint had been lost."""

    # A worker has sent heartbeats without a gap; otherwise `rescue` would extend all leases.
    send_heartbeat(server)

    def make_due(turn: Turn) -> None:
        assert server.raw.zadd(keys.DUE.name, {turn.id: 1}, xx=True, ch=True) == 1

    return make_due


@pytest.fixture
def lose(
    claim: Callable[[Turn], Claim], make_due: Callable[[Turn], None], store: TurnStore, server: Server
) -> Callable[..., None]:
    """Return a function that loses a worker with a head, or several, each time after the delay of its loss before."""

    def lose(turn: Turn, *, times: int = 1) -> None:
        for _ in range(times):
            if server.raw.hexists(keys.TURN(turn.id), "retry_at"):
                make_due(turn)
                store.rescue(worker="", hint="")
            claim(turn)
            make_due(turn)
            store.rescue(worker="", hint="")

    return lose


@pytest.fixture
def claim_twice(
    claim: Callable[[Turn], Claim], make_due: Callable[[Turn], None], store: TurnStore
) -> Callable[[Turn], tuple[Claim, Claim]]:
    """Return a function that claims a turn, lets the lease run out and claims it again; it returns both claims."""

    def claim_twice(turn: Turn) -> tuple[Claim, Claim]:
        old = claim(turn)
        make_due(turn)
        store.rescue(worker="", hint="")
        return old, claim(turn)

    return claim_twice


@pytest.fixture
def hints(server: Server) -> Callable[[], list[str]]:
    """Return a function that pops all hints of the broker's list, oldest first; here a hint is only the turn's id."""
    server.raw.hset(keys.SERVICE.name, "hint", "turn_" + "0" * 32)
    return lambda: [hint.decode() for hint in reversed(server.raw.lpop(keys.HINTS.name, 1000) or [])]


def send_heartbeat(server: Server) -> None:
    """Let a worker send a heartbeat, which counts for the next seconds."""
    seconds, _ = server.raw.time()
    server.raw.zadd(keys.WORKERS.name, {"w": (seconds + 1) * 1000})


def answer_to(claim: Claim) -> Answer:
    return Answer(
        question_message=f'{{"q": "{claim.turn_id}"}}',
        answer_message=f'{{"a": "{claim.turn_id}"}}',
        output=f"answer to {claim.input}",
        model="m",
        usage=None,
    )


def history(server: Server, session: str = "s") -> list[str]:
    """Return the stored messages of a session, oldest first."""
    return [item.decode() for item in reversed(server.raw.lrange(keys.HISTORY(session), 0, -1))]


def events(server: Server, turn: Turn) -> list[tuple[str, str]]:
    """Return the entries of the turn's event stream as pairs of an id and the type or the text of a delta."""
    entries = server.raw.xrange(keys.EVENTS(turn.id))
    return [
        (entry.decode(), fields[b"text" if fields[b"type"] == b"delta" else b"type"].decode())
        for entry, fields in entries
    ]
