"""The turns of a replay go through their whole lives, in a store and in a partition of a cluster."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.replay import Load, Recorder, encode, load_scripts, send
from tests.support.cluster.nodes import ClusterNodes
from tests.support.server import Server
from turns.backend import keys
from turns.backend.opening import connect
from turns.config.settings import Settings
from turns.domain.state import Status
from turns.store.turns import TurnStore


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.mark.parametrize("load", [Load(turns=20, connections=1), Load(turns=40, connections=2, sessions=4, pieces=10)])
def test_replayed_turns_are_completed(own_server: Server, load: Load) -> None:
    recorder = Recorder()
    load_scripts(own_server, [recorder])
    send(own_server, recorder.record(load).commands, depth=16)
    with connect(own_server.url, timeout_seconds=5, retries=0, max_connections=1) as client:
        turns = TurnStore(client, Settings(redis_url=own_server.url)).list_turns(limit=100).turns
    assert [turn.status for turn in turns] == [Status.COMPLETED] * load.turns
    assert {len(turn.output or "") for turn in turns} == {600}


def test_a_replay_in_a_partition_stays_in_it(tmp_path: Path) -> None:
    nodes = ClusterNodes(tmp_path)
    nodes.start()
    try:
        recorder = Recorder(7, partitions=24)
        load_scripts(nodes.nodes[0], [recorder])
        send(nodes.nodes[0], recorder.record(Load(turns=20, connections=1)).commands, depth=1)
        names = nodes.raw.keys("*")
        assert sum(b":turn:" in name for name in names) == 20
        assert all(name.startswith(b"inturn:{07-") for name in names)
    finally:
        nodes.stop()


def test_a_turn_that_cannot_run_is_an_error(own_server: Server) -> None:
    recorder = Recorder()
    load_scripts(own_server, [recorder])
    [commands] = recorder.record(Load(turns=20, connections=1)).commands
    own_server.raw.rpush(keys.HINTS.name, "a hint")
    with pytest.raises(RuntimeError, match=r"NOT_NOW|GONE|LOST"):
        send(own_server, [commands[20:]], depth=1)


def test_commands_are_encoded_with_the_lengths_of_their_bytes() -> None:
    assert encode(["SET", "é", 1]) == b"*3\r\n$3\r\nSET\r\n$2\r\n\xc3\xa9\r\n$1\r\n1\r\n"
