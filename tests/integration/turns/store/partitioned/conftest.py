"""A store of 24 partitions on a cluster of one node."""

from collections.abc import Callable, Iterator, Sequence

import pytest

from tests.support.cluster.nodes import ClusterNodes
from turns.backend.client import Client
from turns.backend.opening import connect
from turns.config.settings import Settings
from turns.domain.run.claim import Claim
from turns.domain.turn import Turn
from turns.domain.turn_request import TurnRequest
from turns.store.partitioned.sessions import PartitionedSessionStore
from turns.store.partitioned.turns import PartitionedTurnStore

SESSIONS = 60
Accept = Callable[..., Turn]


@pytest.fixture(scope="package")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterNodes]:
    cluster = ClusterNodes(tmp_path_factory.mktemp("cluster"))
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture
def settings(cluster: ClusterNodes) -> Settings:
    cluster.raw.flushall()
    return Settings(redis_url=cluster.url)


@pytest.fixture
def client(settings: Settings) -> Iterator[Client]:
    with connect(settings.store_url, timeout_seconds=5, retries=0, max_connections=30) as client:
        yield client


@pytest.fixture
def store(client: Client, settings: Settings, cluster: ClusterNodes) -> Iterator[PartitionedTurnStore]:
    yield PartitionedTurnStore(client, settings)
    declared = [name for one in client.partitions for name in one.declared_keys]
    assert not set(declared) & {name.decode() for name in cluster.raw.keys("*")}


@pytest.fixture
def sessions(client: Client, settings: Settings) -> PartitionedSessionStore:
    return PartitionedSessionStore(client, settings)


@pytest.fixture
def accept(store: PartitionedTurnStore) -> Accept:
    def accept(session_id: str, **more: object) -> Turn:
        return store.accept(TurnRequest(session_id=session_id, input="hello", **more)).turn  # type: ignore[arg-type]

    return accept


@pytest.fixture
def turns(accept: Accept) -> list[Turn]:
    """Return a turn of each of 60 sessions, which are in nearly all partitions."""
    return [accept(f"s-{n}", user_id="alice") for n in range(SESSIONS)]


@pytest.fixture
def claims(store: PartitionedTurnStore, turns: Sequence[Turn]) -> list[Claim]:
    return [claim for turn in turns if (claim := store.claim(turn.id, worker="w", model="m"))]
