"""Refused turns are counted once, and a store that may delete turns takes none."""

from collections.abc import Callable, Iterator

import pytest

from tests.support.server import Server
from turns.backend.client import Client
from turns.backend.opening import connect
from turns.config.settings import Settings
from turns.domain.errors import IntakePaused, Overloaded, StoreUnavailable, StoreUnsafe
from turns.domain.messages import Message
from turns.domain.turn import Turn
from turns.domain.turn_request import TurnRequest
from turns.pauses.part import INTAKE
from turns.pauses.pauses import Pauses
from turns.store.sessions import SessionStore
from turns.store.turns import TurnStore

MESSAGE = Message(number=1, role="user", content="hello", turn_id=None)
REQUEST = TurnRequest(session_id="s", input="hello")


@pytest.fixture
def configure(server: Server) -> Iterator[Callable[[str, str], None]]:
    yield server.raw.config_set
    for option, value in (("maxmemory", "0"), ("maxmemory-policy", "noeviction"), ("min-replicas-to-write", "0")):
        server.raw.config_set(option, value)


def refused(store: TurnStore) -> dict[str, int]:
    return {code: number for (code,), number in store.read_metrics().counters["refused"].items()}


def test_refusals_are_counted_by_code(
    store_with: Callable[..., TurnStore], accept: Callable[..., Turn], pauses: Pauses
) -> None:
    accept()
    store = store_with(max_live_turns=1)
    for _ in range(2):
        with pytest.raises(Overloaded):
            store.accept(REQUEST)
    pauses.pause(INTAKE)
    with pytest.raises(IntakePaused):
        store.accept(REQUEST)
    assert refused(store) == {"overloaded": 2, "intake_paused": 1}


def test_refusals_of_a_full_store_are_counted_at_once(
    store: TurnStore, configure: Callable[[str, str], None], client: Client
) -> None:
    configure("maxmemory", "1")
    with pytest.raises(StoreUnavailable):
        store.accept(REQUEST)
    assert client.hget("inturn:metrics", "refused|store_unavailable") == b"1"


def test_refusals_of_a_read_only_store_are_counted_later(
    store: TurnStore, configure: Callable[[str, str], None]
) -> None:
    configure("min-replicas-to-write", "1")
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            store.accept(REQUEST)
    assert refused(store) == {}
    configure("min-replicas-to-write", "0")
    assert refused(store) == {"store_unavailable": 3}
    assert refused(store) == {"store_unavailable": 3}


def test_an_evicting_store_takes_neither_turns_nor_imports(
    store_with: Callable[..., TurnStore],
    sessions: SessionStore,
    server: Server,
    configure: Callable[[str, str], None],
) -> None:
    configure("maxmemory-policy", "allkeys-lru")
    store = store_with()
    with pytest.raises(StoreUnsafe):
        store.accept(REQUEST)
    with pytest.raises(StoreUnsafe):
        sessions.import_messages([MESSAGE], session_id="s", user_id=None)
    assert refused(store) == {"store_unsafe": 1}
    assert server.raw.keys() == [b"inturn:metrics"]
    assert store_with(allow_unsafe_store=True).accept(REQUEST).turn.id


def test_the_gauges_of_the_store_follow_its_state(store: TurnStore, configure: Callable[[str, str], None]) -> None:
    gauges = store.read_metrics().gauges
    assert (gauges["store_is_safe"], gauges["store_takes_writes"], gauges["store_memory_limit_bytes"]) == (1, 1, 0)
    assert gauges["store_memory_bytes"] > 0
    configure("maxmemory-policy", "volatile-lru")
    configure("maxmemory", "1")
    gauges = store.read_metrics().gauges
    assert (gauges["store_is_safe"], gauges["store_takes_writes"], gauges["store_memory_limit_bytes"]) == (0, 0, 1)


def test_a_store_that_hides_its_policy_counts_as_safe(server: Server, settings: Settings) -> None:
    server.raw.execute_command("ACL", "SETUSER", "limited", "on", "nopass", "~*", "&*", "+@all", "-info")
    client = connect(f"unix://limited:any@{server.socket}", timeout_seconds=3, retries=0, max_connections=1)
    assert TurnStore(client, settings).accept(REQUEST).turn.input == "hello"
