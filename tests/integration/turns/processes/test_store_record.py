"""Tests of the file that remembers which store a data directory has."""

from pathlib import Path

from tests.support.server import Server
from turns.backend.client import Client
from turns.processes.store_record import StoreRecord
from turns.store.turns import TurnStore


def test_an_emptied_store_is_noticed_once(client: Client, server: Server, store: TurnStore, tmp_path: Path) -> None:
    record = StoreRecord(tmp_path)
    assert [record.follow(client) for _ in range(2)] == [False, False]
    server.raw.flushall()
    store.report_process("w", kind="loop", proposed_id="other", needs_keys=False, fields={})
    assert [record.follow(client) for _ in range(2)] == [True, False]
