"""The store's health names the reason why no turn can be accepted, without writing anything."""

from pathlib import Path

import pytest

from supervisor.doctor.finding import Verdict
from supervisor.doctor.store_checks import check_writes
from tests.support.server import Server
from tests.support.waiting import wait_until
from turns.domain.errors import StoreUnavailable
from turns.domain.turn_request import TurnRequest
from turns.store.health import Health
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
    assert_reported(health, remedy)


def test_a_store_that_cannot_save_is_reported_with_its_reason(server: Server, store: TurnStore) -> None:
    obstacle = Path(server.raw.config_get("dir")["dir"]) / server.raw.config_get("dbfilename")["dbfilename"]
    obstacle.mkdir()
    server.raw.config_set("save", "3600 1")
    try:
        server.raw.bgsave()
        wait_until("saving has failed", lambda: server.raw.info("persistence")["rdb_last_bgsave_status"] == "err")
        health = store.read_health()
        with pytest.raises(StoreUnavailable):
            store.accept(TurnRequest(session_id="s", input="hello"))
    finally:
        server.raw.config_set("save", "")
        obstacle.rmdir()
    assert "MISCONF" in health.refusal  # only PING and writes are refused, so the reads before it succeeded
    assert_reported(health, "free space there")


def assert_reported(health: Health, remedy: str) -> None:
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
