"""Run the tests of stores and scripts a second time on a Redis Cluster of one node with one partition.

`make cluster` also compares random interleavings with the model there.
"""

import os
from collections.abc import Iterator

import pytest

from tests.support.cluster.one_partition import PartitionServer
from tests.support.leaks import leaked_keys
from tests.support.server import Server
from turns.backend.client import Client
from turns.config.settings import Settings
from turns.file_history.session_store import open_session_store
from turns.file_history.turn_store import open_turn_store
from turns.store.sessions import SessionStore
from turns.store.turns import TurnStore

# Tests that the second run leaves out, each with the reason.
ONE_SERVER = "it is about the connection to one server"
LANGCHAIN = "it reads the names of a plain store with LangChain's class"
FILES = "histories in files need one primary"
REPLICA = "a node of a cluster cannot be made a replica by REPLICAOF"
PLAIN_ONLY = {
    "backend/test_client.py": ONE_SERVER,
    "backend/test_pubsub.py": ONE_SERVER,
    "backend/cluster/": "it has its cluster already",
    "backend/test_installation.py": "its processes are started with the URL of one server",
    "test_main.py": "its processes are started with the URL of one server",
    "test_interleavings_with_histories_in_files": FILES,
    **({} if "CLUSTER_INTERLEAVINGS" in os.environ else {"store/test_interleavings.py": "it takes a minute"}),
    "store/test_adopt.py": "sessions of a cluster stay in their tenant",
    "store/test_vanished_workers.py": ONE_SERVER,
    "store/test_history.py::test_the_stock_class": LANGCHAIN,
    "store/test_history.py::test_turns_continue_what_the_stock_class_wrote": LANGCHAIN,
    "stock_class": LANGCHAIN,
    "file_history/": FILES,
    "[cluster-file": FILES,
    "an_import_that_is_not_complete": "it replaces a step of the store of one partition",
    "replica": REPLICA,
    "cannot_write": REPLICA,
    "read_only": REPLICA,
    "hides_its_policy": "it connects to the socket of one server",
    "test_both_protocols": "it connects to the socket of one server",
}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = [item for item in items if item.get_closest_marker("cluster") and _is_plain_only(item.nodeid)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


def _is_plain_only(node_id: str) -> bool:
    return any(part in node_id for part in PLAIN_ONLY)


@pytest.fixture(scope="session", params=["plain", pytest.param("cluster", marks=pytest.mark.cluster)])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server | PartitionServer]:
    server = (Server if request.param == "plain" else PartitionServer)(tmp_path_factory.mktemp("store"))
    server.start()
    yield server
    server.stop()
    server.raw.close()


@pytest.fixture
def store(server: Server, client: Client, settings: Settings) -> Iterator[TurnStore]:
    yield open_turn_store(client, settings)
    assert leaked_keys(server.raw) == set()


@pytest.fixture
def sessions(client: Client, settings: Settings) -> SessionStore:
    return open_session_store(client, settings)
