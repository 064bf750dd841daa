"""A power cut in mid-commit: wherever the log of writes breaks off, the commit is there whole or not at all."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.integration.conftest import answer_to
from tests.support.server import DURABLE, Server
from turns.backend import keys
from turns.backend.client import connect
from turns.config.settings import Settings
from turns.domain.state import Status
from turns.domain.turn import TurnRequest
from turns.store.turns import TurnStore

SERVERS = 4  # at a time: starting one is mostly waiting


@pytest.fixture
def log(tmp_path: Path) -> tuple[Path, int, int, str]:
    """A store's directory with its log of writes, where in it a commit begins and ends, and the turn's id."""
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


def test_a_commit_that_breaks_off_is_there_whole_or_not_at_all(log: tuple[Path, int, int, str], tmp_path: Path) -> None:
    directory, before, after, turn_id = log

    def cut_at(size: int) -> tuple[str, int, int]:
        broken = tmp_path / f"cut-{size}"
        shutil.copytree(directory, broken, ignore=shutil.ignore_patterns("*.sock", "log"))
        with incremental(broken).open("r+b") as cut:
            cut.truncate(size)
        found = state(broken, turn_id)
        shutil.rmtree(broken)
        return found

    with ThreadPoolExecutor(SERVERS) as pool:  # there are some 1,700 such places
        states = list(pool.map(cut_at, range(before, after + 1)))
    nothing, everything = (Status.IN_PROGRESS, 0, 2), (Status.COMPLETED, 2, 1)
    assert set(states) == {nothing, everything}
    assert states == sorted(states, key=lambda found: found == everything), "once there, it stays"


def state(directory: Path, turn_id: str) -> tuple[str, int, int]:
    """Status, messages in the history and turns in the queue, as a server that starts on this directory finds them."""
    server = Server(directory, options=DURABLE)
    server.start()
    try:
        status = server.raw.hget(keys.TURN(turn_id), "status").decode()
        return Status(status), server.raw.llen(keys.HISTORY("s")), server.raw.llen(keys.QUEUE("s"))
    finally:
        server.kill()
        server.raw.close()
