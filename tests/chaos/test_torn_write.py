"""A power cut during a commit: wherever the append-only file ends, the store has the whole commit or nothing of it."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.integration.conftest import answer_to
from tests.support.server import DURABLE, Server
from turns.backend import keys
from turns.backend.opening import connect
from turns.config.settings import Settings
from turns.domain.state import Status
from turns.domain.turn_request import TurnRequest
from turns.store.turns import TurnStore

SERVERS = 4  # run at the same time, because starting one is mostly waiting


@pytest.fixture
def committed(tmp_path: Path) -> tuple[Path, int, int, str]:
    """Return a store's directory, where a commit begins and ends in the append-only file, and the turn's id."""
    directory = tmp_path / "whole"
    directory.mkdir()
    server = Server(directory, options=DURABLE)
    server.start()
    with connect(server.url, timeout_seconds=5, retries=0, max_connections=2) as client:
        store = TurnStore(client, Settings(redis_url=server.url))
        turn = store.accept(TurnRequest(session_id="s", input="x")).turn
        store.accept(TurnRequest(session_id="s", input="y"))
        claim = store.claim(turn.id, worker="w")
        assert claim is not None
        before = incremental(directory).stat().st_size
        store.commit(claim, answer_to(claim), tail="")
        after = incremental(directory).stat().st_size
    server.stop()
    server.raw.close()
    return directory, before, after, turn.id


def incremental(directory: Path) -> Path:
    [path] = directory.glob("appendonlydir/*.incr.aof")
    return path


def test_a_torn_commit_is_applied_whole_or_not_at_all(committed: tuple[Path, int, int, str], tmp_path: Path) -> None:
    directory, before, after, turn_id = committed

    def cut_at(size: int) -> tuple[str, int, int]:
        broken = tmp_path / f"cut-{size}"
        shutil.copytree(directory, broken, ignore=shutil.ignore_patterns("*.sock", "log"))
        with incremental(broken).open("r+b") as cut:
            cut.truncate(size)
        found = state(broken, turn_id)
        shutil.rmtree(broken)
        return found

    with ThreadPoolExecutor(SERVERS) as pool:  # there are about 1,700 positions
        states = list(pool.map(cut_at, range(before, after + 1)))
    nothing, everything = (Status.IN_PROGRESS, 0, 2), (Status.COMPLETED, 2, 1)
    assert set(states) == {nothing, everything}
    assert states == sorted(states, key=lambda found: found == everything), "each longer file contains the commit too"


def state(directory: Path, turn_id: str) -> tuple[str, int, int]:
    """Start a server on this directory; return the status, the number of messages and the length of the queue."""
    server = Server(directory, options=DURABLE)
    server.start()
    try:
        status = server.raw.hget(keys.TURN(turn_id), "status").decode()
        return Status(status), server.raw.llen(keys.HISTORY("s")), server.raw.llen(keys.QUEUE("s"))
    finally:
        server.kill()
        server.raw.close()
