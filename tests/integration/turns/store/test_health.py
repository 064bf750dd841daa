"""The store's health names the reason why no turn can be accepted, without writing anything."""

import pytest

from supervisor.doctor import Verdict, check_writes
from tests.support.server import Server
from turns.domain.errors import StoreUnavailable
from turns.domain.turn import TurnRequest
from turns.store.turns import TurnStore


@pytest.mark.parametrize(
    ("option", "value", "remedy"),
    [
        ("maxmemory", "1", "raise maxmemory"),
        ("min-replicas-to-write", "1", "start the replicas"),
        ("replicaof", "127.0.0.1 1", "name its primary"),
    ],
)
def test_a_refusing_store_is_reported_with_its_reason(
    server: Server, store: TurnStore, option: str, value: str, remedy: str
) -> None:
    configure(server, option, value)
    try:
        health = store.read_health()
        with pytest.raises(StoreUnavailable):
            store.accept(TurnRequest(session_id="s", input="hello"))
    finally:
        configure(server, option, "no one" if option == "replicaof" else "0")
    assert health.refusal
    finding = check_writes(health)
    assert finding.verdict is Verdict.WRONG
    assert remedy in finding.remedy


def test_a_store_that_takes_writes_is_healthy(server: Server, store: TurnStore) -> None:
    keys = server.raw.keys()
    health = store.read_health()
    assert health.refusal == ""
    assert check_writes(health).verdict is Verdict.OK
    assert server.raw.keys() == keys


def configure(server: Server, option: str, value: str) -> None:
    if option == "replicaof":
        server.raw.execute_command("REPLICAOF", *value.upper().split())
    else:
        server.raw.config_set(option, value)
