"""API keys while the home partition of a Redis Cluster, which has them, is away."""

import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from tests.support.cluster.nodes import ClusterNodes
from tests.support.waiting import wait_until
from turns.access import remembered_keys
from turns.access.access_token import AccessToken
from turns.access.api_key import Scope
from turns.access.api_keys import ApiKeyStore
from turns.access.key_uses import KeyUses
from turns.access.remembered_keys import REMEMBERED_SECONDS, RememberedKeys
from turns.backend.client import Client
from turns.backend.opening import connect
from turns.config.settings import Settings
from turns.domain.errors import StoreUnavailable, Unauthenticated
from web.security.auth import ANONYMOUS, Authenticator

NO_CACHE = "web.security.auth.KEY_CACHE_SECONDS"  # so that each request asks for its key


class Clock:
    """The real time and a time that passes when a test says so."""

    def __init__(self) -> None:
        self.passed = 0.0

    def time(self) -> float:
        return time.time() + self.passed

    def monotonic(self) -> float:
        return time.monotonic() + self.passed


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterNodes]:
    nodes = ClusterNodes(tmp_path_factory.mktemp("cluster"), durable=True)
    nodes.start()
    yield nodes
    nodes.stop()


@pytest.fixture
def cluster(nodes: ClusterNodes) -> ClusterNodes:
    """Return an empty cluster of one node, which tests may kill."""
    [node] = nodes.nodes
    if not node.is_reachable():
        node.start()
        wait_until("the node serves", lambda: node.knows(1))
    node.raw.flushall()
    return nodes


@pytest.fixture
def client(cluster: ClusterNodes) -> Iterator[Client]:
    url = Settings(redis_url=cluster.url).store_url
    with connect(url, timeout_seconds=3, retries=0, max_connections=5) as client:
        yield client


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(NO_CACHE, 0.0)
    for module in ("turns.access.remembered_keys", "web.security.auth"):
        monkeypatch.setattr(f"{module}.time", SimpleNamespace(time=clock.time, monotonic=clock.monotonic))
    return clock


def _authenticator(client: Client) -> Authenticator:
    return Authenticator(RememberedKeys(client), KeyUses(client), requires_keys=False)


def test_known_keys_work_while_their_store_is_away(cluster: ClusterNodes, client: Client, clock: Clock) -> None:
    store = ApiKeyStore(client)
    known, key = store.create_key("acme", [Scope.TURNS])
    unread, _ = store.create_key("acme", [Scope.TURNS])
    short, _ = store.create_key("acme", [Scope.TURNS], lifetime_seconds=300)
    authenticator = _authenticator(client)
    for text in (known, short):
        assert authenticator.authenticate(f"Bearer {text}").tenant == "acme"
    found = store.find_signer(key.id)
    assert found
    token = AccessToken(key_id=key.id, expires_at=int(time.time()) + 200, scopes=("turns",), user_id="u").sign(found[1])

    cluster.kill()
    for text in (known, short, token):  # the token was never seen before
        assert authenticator.authenticate(f"Bearer {text}").tenant == "acme"
    with pytest.raises(StoreUnavailable):
        authenticator.authenticate(f"Bearer {unread}")
    with pytest.raises(Unauthenticated):
        authenticator.authenticate(f"Bearer {known}x")
    with pytest.raises(Unauthenticated):
        authenticator.authenticate(None)

    clock.passed = 301
    for text in (short, token):
        with pytest.raises(Unauthenticated):
            authenticator.authenticate(f"Bearer {text}")
    assert authenticator.authenticate(f"Bearer {known}").key_id == key.id
    clock.passed = REMEMBERED_SECONDS + 1
    with pytest.raises(StoreUnavailable):
        authenticator.authenticate(f"Bearer {known}")


def test_a_key_revoked_before_is_refused_on_return(cluster: ClusterNodes, client: Client, clock: Clock) -> None:
    text, key = ApiKeyStore(client).create_key("acme", [Scope.TURNS])
    authenticator = _authenticator(client)
    authenticator.authenticate(f"Bearer {text}")
    ApiKeyStore(client).revoke_key(key.id)
    cluster.kill()
    assert authenticator.authenticate(f"Bearer {text}").key_id == key.id
    cluster.nodes[0].start()
    wait_until("the key is refused", lambda: _is_refused(authenticator, text), seconds=30)


def test_without_keys_callers_stay_anonymous(cluster: ClusterNodes, client: Client, clock: Clock) -> None:
    authenticator = _authenticator(client)
    assert authenticator.authenticate(None) is ANONYMOUS
    cluster.kill()
    assert authenticator.authenticate(None) is ANONYMOUS
    with pytest.raises(StoreUnavailable):
        _authenticator(client).authenticate(None)
    clock.passed = REMEMBERED_SECONDS + 1
    with pytest.raises(StoreUnavailable):
        authenticator.authenticate(None)


def test_the_memory_of_keys_is_bounded(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered_keys, "MAX_REMEMBERED", 2)
    remembered = RememberedKeys(client)
    texts = [remembered.create_key("acme", [Scope.TURNS])[0] for _ in range(3)]
    assert all(remembered.find_key(text) for text in [*texts, *texts])
    assert len(remembered._signers) <= 2


def _is_refused(authenticator: Authenticator, text: str) -> bool:
    try:
        authenticator.authenticate(f"Bearer {text}")
    except Unauthenticated:
        return True
    return False
