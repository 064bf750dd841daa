"""Fixtures that tests of several kinds share."""

import signal
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

import tests.support.clean_environment  # noqa: F401  # before all other modules of the product
from tests.support.leaks import leaked_keys
from tests.support.server import Server
from turns.backend.client import Client
from turns.backend.opening import connect
from turns.config.settings import Settings
from turns.store.sessions import SessionStore
from turns.store.turns import TurnStore

# A shell starts background jobs with SIGINT ignored, and child processes inherit that; tests of Ctrl-C would hang.
signal.signal(signal.SIGINT, signal.default_int_handler)
# By default hypothesis fails an example that takes 200 ms, and slow generation, which a busy machine causes.
hypothesis.settings.register_profile("untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("untimed")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(Path(tmp_path_factory.mktemp("store")))
    server.start()
    yield server
    server.stop()
    server.raw.close()


@pytest.fixture
def settings(server: Server) -> Settings:
    """Empty the store and return the default settings for it."""
    server.raw.flushall()
    return Settings(redis_url=server.url)


@pytest.fixture
def client(settings: Settings) -> Iterator[Client]:
    with connect(settings.store_url, timeout_seconds=5, retries=0, max_connections=10) as client:
        yield client


@pytest.fixture
def store(server: Server, client: Client, settings: Settings) -> Iterator[TurnStore]:
    yield TurnStore(client, settings)
    assert leaked_keys(server.raw) == set()


@pytest.fixture
def sessions(client: Client, settings: Settings) -> SessionStore:
    return SessionStore(client, settings)
