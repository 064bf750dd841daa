"""Grow from one server to a cluster, and then by a primary, as an operator does it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from inturn import Client, FileInUse
from tests.support.cluster.nodes import ClusterNodes
from tests.support.cluster.slot_moves import move_atomically, move_legacy
from tests.support.processes import Stack, call, turn_request
from tools import ROOT
from turns.backend import keys
from turns.backend.partition.tags import hash_tags, slot_of
from turns.config.store_url import DEFAULT_PARTITIONS

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 100
SESSIONS = [f"s{n}" for n in range(30)]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[ClusterNodes]:
    """Return an empty cluster of one primary."""
    (tmp_path / "cluster").mkdir()
    cluster = ClusterNodes(tmp_path / "cluster")
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    (tmp_path / "assistants.toml").write_text('[assistants.default]\naccepts = ["text", "image"]\n', encoding="utf-8")
    settings = {"INTURN_ASSISTANTS": str(tmp_path / "assistants.toml"), "INTURN_FILES": f"file:{tmp_path}/files"}
    with Stack(tmp_path, workers=1, settings=settings) as stack:
        yield stack


def test_one_server_becomes_a_cluster_that_grows(stack: Stack, cluster: ClusterNodes) -> None:
    done = {stack.submit(session, "hello"): session for session in SESSIONS[:8]}
    with Client(stack.url) as client:
        file = client.files.upload(PNG, name="cat.png")
        done |= {client.turns.create(session, [file.part]).id: session for session in SESSIONS[8:12]}
    answers = {turn: stack.wait_until_finished(turn) for turn in done}
    running = stack.submit("s", "runs meanwhile [gate go]")
    waiting = [stack.submit("s", f"waits {n}") for n in range(3)]
    stack.wait_until_running(running)

    with _start_move(stack, cluster) as move:
        assert move.stderr is not None
        assert move.stderr.readline().startswith("Stop these processes; the move waits for them: ")
        refused = call(f"{stack.url}/v1/turns", method="POST", body=turn_request("s", "too late"))
        assert (refused.status, refused.body["code"]) == (503, "intake_paused")
        stack.workers[0].terminate()
        stack.open_gate("go")
        assert stack.wait_until_finished(running)["status"] == "completed"
        assert stack.workers[0].stop() == 0
        assert stack.web.stop() == 0
        _let_time_pass(stack)
        summary, _ = move.communicate(timeout=60)
    assert (move.returncode, summary.startswith("Moved, and counted in both stores: ")) == (0, True)

    stack.environment["REDIS_URL"] = cluster.url
    stack.start_processes(workers=1, chain_workers=0)
    stack.wait_until_ready(workers=1)
    assert {turn: stack.turn(turn) for turn in done} == answers
    assert {stack.wait_until_finished(turn)["status"] for turn in [running, *waiting]} == {"completed"}
    with Client(stack.url) as client:
        assert client.files.read(file.id) == PNG
        following = client.turns.create(SESSIONS[20], [file.part])
        assert stack.wait_until_finished(following.id)["status"] == "completed"
        with pytest.raises(FileInUse):
            client.files.delete(file.id)
    questions = [message["content"] for message in stack.messages("s") if message["role"] == "user"]
    assert questions == ["runs meanwhile [gate go]", "waits 0", "waits 1", "waits 2"]

    new = cluster.add_primary()
    turns = []
    for number, tag in enumerate(hash_tags(DEFAULT_PARTITIONS)[12:]):
        (move_legacy if number % 2 else move_atomically)(cluster, slot_of(f"{{{tag}}}"), new)
        turns += [stack.submit(session, "hello") for session in SESSIONS[number * 2 : number * 2 + 3]]
    assert {stack.wait_until_finished(turn)["status"] for turn in turns} == {"completed"}
    assert new.raw.dbsize() > 0


def _start_move(stack: Stack, cluster: ClusterNodes) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "turns", "move", "--to", cluster.url]
    environment = {**os.environ, **stack.environment}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def _let_time_pass(stack: Stack) -> None:
    """Let the last report of the stopped endpoint be old enough."""
    for name in stack.store.raw.zrange(keys.PROCESSES.name, 0, -1):
        stack.store.raw.hset(keys.PROCESS(name.decode()), "seen_at", 1)
