"""The product on a Redis Cluster of three primaries. A node that is away stops its own partitions alone."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from inturn import Client, FileInUse, FileNotFound, PartitionsAway
from tests.support.cluster.nodes import ClusterNodes, Node
from tests.support.cluster.slot_moves import LegacyMove, move_atomically, move_legacy, other_primary
from tests.support.processes import HttpResponse, Stack, call, turn_request
from tests.support.sse import StreamReader
from tests.support.waiting import wait_until
from turns.backend.partition.placement import Partitions
from turns.backend.partition.tags import HOME, hash_tags, slot_of
from turns.config.store_url import DEFAULT_PARTITIONS

Move = Callable[[ClusterNodes, int, Node], None]
PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 100
FILE_SESSIONS = [f"file-{n}" for n in range(12)]
SESSIONS = [f"s{n}" for n in range(60)]
GATHERED = (
    "/v1/turns",
    "/v1/turns?status=completed",
    "/v1/sessions?count=true",
    "/v1/users/nobody/sessions",
    "/v1/usage",
    "/operator/turns",
    "/operator/turns?ended=true",
    "/operator/search?q=nothing",
    "/operator/failed",
    "/operator/preview?act=retry",
    "/operator/tenants",
    "/operator/usage",
    "/operator/pauses",
    "/operator/stats.json",
)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> ClusterNodes:
    """Return a cluster without replicas, whose nodes keep their data when they are killed."""
    return ClusterNodes(tmp_path_factory.mktemp("cluster"), primaries=3, durable=True)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, cluster: ClusterNodes) -> Iterator[Stack]:
    directory = tmp_path_factory.mktemp("stack")
    (directory / "assistants.toml").write_text('[assistants.default]\naccepts = ["text", "image"]\n', encoding="utf-8")
    settings = {"INTURN_ASSISTANTS": str(directory / "assistants.toml"), "INTURN_FILES": f"file:{directory}/files"}
    with Stack(directory, workers=2, store=cluster, settings=settings) as stack:
        yield stack


def test_sessions_of_all_partitions_are_served(stack: Stack) -> None:
    turns = _submit(stack, SESSIONS)
    assert {stack.wait_until_finished(turn)["status"] for turn in turns} == {"completed"}
    assert {len(stack.messages(session)) for session in SESSIONS} == {2}


def test_one_file_serves_sessions_of_all_partitions(stack: Stack) -> None:
    with Client(stack.url) as client:
        file = client.files.upload(PNG, name="cat.png")
        asked = [
            client.turns.create(session, [{"type": "text", "text": "look"}, file.part]) for session in FILE_SESSIONS
        ]
        assert {stack.wait_until_finished(turn.id)["status"] for turn in asked} == {"completed"}
        assert client.files.read(file.id) == PNG
        for session in FILE_SESSIONS:
            with pytest.raises(FileInUse):
                client.files.delete(file.id)
            client.sessions.delete(session)
        client.files.delete(file.id)
        with pytest.raises(FileNotFound):
            client.files.read(file.id)
    requests = [request["messages"][-1]["content"] for request in stack.model_requests()]
    assert sum(isinstance(content, list) and "image_url" in content[1] for content in requests) == len(FILE_SESSIONS)


def test_one_failed_attempt_holds_a_model_everywhere(stack: Stack, cluster: ClusterNodes) -> None:
    first = stack.submit(SESSIONS[0], "asked too often [fail 429 1] [retry-after 600]")

    def holding() -> int:
        return sum(len(node.raw.keys("inturn:*:hold:*")) for node in cluster.nodes)

    wait_until("all partitions know", lambda: holding() == DEFAULT_PARTITIONS)
    turns = [stack.submit(session, f"waits in {session}") for session in SESSIONS[1:]]
    wait_until("the turns wait", lambda: [hold["held_turns"] for hold in _holds(stack)] == [len(SESSIONS)])
    assert [len(stack.model_requests(f"waits in {session}")) for session in SESSIONS[1:]] == [0] * len(turns)
    assert call(f"{stack.url}/operator/holds/lift?name={_holds(stack)[0]['name']}", method="POST").status == 200
    assert {stack.wait_until_finished(turn)["status"] for turn in [first, *turns]} == {"completed"}
    wait_until("all partitions know", lambda: holding() == 0)
    assert _holds(stack) == []


def test_a_killed_node_stops_its_own_sessions_alone(stack: Stack, cluster: ClusterNodes) -> None:
    killed = next(node for node in cluster.nodes if node is not cluster.owner(_slot(HOME)))
    lost = [session for session in SESSIONS if _owner(cluster, session) is killed]
    others = [session for session in SESSIONS if session not in lost]
    running = stack.submit(lost[0], "runs meanwhile [gate go]")
    stack.wait_until_running(running)
    killed.kill()
    turns = _submit(stack, others)
    assert {stack.wait_until_finished(turn)["status"] for turn in turns} == {"completed"}
    response = call(f"{stack.url}/v1/turns", method="POST", body=turn_request(lost[0], "refused"))
    assert (response.status, response.body["code"]) == (503, "store_unavailable")
    assert response.headers["Retry-After"]
    _check_lists(stack, missing=[n for n in range(DEFAULT_PARTITIONS) if cluster.owner(_slot(n)) is killed])

    stack.open_gate("go")
    killed.start()
    turns = [running, *_submit(stack, lost)]
    assert {stack.wait_until_finished(turn)["status"] for turn in turns} == {"completed"}


def test_a_partition_stands_still_while_it_moves(stack: Stack, cluster: ClusterNodes) -> None:
    session = SESSIONS[0]
    slot = _slot(Partitions(DEFAULT_PARTITIONS).of_session(session))
    waiting = stack.submit(session, "runs during the move [gate moved]")
    stack.wait_until_running(waiting)
    move = LegacyMove(cluster, slot, other_primary(cluster, slot))
    move.move_keys(*move.source.cluster("GETKEYSINSLOT", slot, 3))
    stack.open_gate("moved")
    refused = call(f"{stack.url}/v1/turns", method="POST", body=turn_request(session, "refused"))
    assert refused.status == 503
    move.finish()
    assert stack.wait_until_finished(waiting)["status"] == "completed"
    [after] = _submit(stack, [session])
    assert stack.wait_until_finished(after)["status"] == "completed"


@pytest.mark.parametrize("move", [move_legacy, move_atomically])
def test_streams_and_long_polls_outlast_a_move(stack: Stack, cluster: ClusterNodes, move: Move) -> None:
    session = SESSIONS[1]
    slot = _slot(Partitions(DEFAULT_PARTITIONS).of_session(session))
    turn = stack.submit(session, "streams meanwhile [hold moved]")
    reader = StreamReader(f"{stack.url}/v1/turns/{turn}/events")
    with ThreadPoolExecutor() as threads:
        poll = threads.submit(stack.turn, turn, wait=30)
        reading = threads.submit(reader.read_until_done)
        wait_until("some text is there", lambda: reader.text)
        move(cluster, slot, other_primary(cluster, slot))
        stack.open_gate("moved")
        reading.result()
        polled = poll.result()
    assert polled["status"] == "completed"
    assert reader.text == polled["output"]["content"]


def test_a_stopped_worker_leaves_its_turns_to_others(stack: Stack) -> None:
    assert stack.workers[0].stop() == 0
    turns = _submit(stack, SESSIONS[:20])
    assert {stack.wait_until_finished(turn)["status"] for turn in turns} == {"completed"}


def test_without_home_known_keys_still_serve_others(stack: Stack, cluster: ClusterNodes) -> None:
    key, unread = stack.create_api_key("acme"), stack.create_api_key("acme")
    wait_until("keys are required", lambda: call(f"{stack.url}/v1/turns").status == 401)
    assert call(f"{stack.url}/v1/turns", api_key=key).status == 200
    killed = cluster.owner(_slot(HOME))
    away = [n for n in range(DEFAULT_PARTITIONS) if cluster.owner(_slot(n)) is killed]
    lost, here = (
        next(s for s in SESSIONS if (Partitions(DEFAULT_PARTITIONS).of_session(f"acme/-/{s}") in away) is is_away)
        for is_away in (True, False)
    )
    killed.kill()
    token = call(f"{stack.url}/v1/tokens", method="POST", body={"session_id": here}, api_key=key).body["token"]
    accepted = _post(stack, here, "streams [hold home]", key)
    assert accepted.status == 202
    turn = f"{stack.url}/v1/turns/{accepted.body['id']}"
    reader = StreamReader(f"{turn}/events?token={token}")
    with ThreadPoolExecutor() as threads:
        reading = threads.submit(reader.read_until_done)
        wait_until("some text is there", lambda: reader.text)
        queued = _post(stack, here, "waits", key)
        cancelled = call(f"{stack.url}/v1/turns/{queued.body['id']}/cancel", method="POST", api_key=key)
        assert cancelled.body["status"] == "cancelled"
        stack.open_gate("home")
        polled = call(f"{turn}?wait=30", api_key=key).body
        reading.result()
    assert polled["status"] == "completed"
    assert reader.text == polled["output"]["content"]
    assert len(call(f"{stack.url}/v1/sessions/{here}/messages", api_key=token).body["data"]) == 2
    ready, running = call(f"{stack.url}/readyz"), sum(worker.is_running for worker in stack.workers)
    assert (ready.status, ready.body["partitions_away"], ready.body["live_workers"]) == (200, len(away), running)
    assert call(f"{stack.url}/v1/turns", api_key=key).body["missing_partitions"] == away
    for refused in (_post(stack, lost, "refused", key), _post(stack, here, "refused", unread)):
        assert (refused.status, refused.body["code"]) == (503, "store_unavailable")
        assert refused.headers["Retry-After"]
    assert _post(stack, here, "wrong", f"{key}x").status == 401

    killed.start()
    for session, used in ((lost, key), (here, unread)):
        wait_until("the rest is served", partial(_is_served, stack, session, used), seconds=60)


def _post(stack: Stack, session: str, text: str, key: str) -> HttpResponse:
    return call(f"{stack.url}/v1/turns", method="POST", body=turn_request(session, text), api_key=key)


def _is_served(stack: Stack, session: str, key: str) -> bool:
    return _post(stack, session, "served again", key).status == 202


def _holds(stack: Stack) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = call(f"{stack.url}/operator/status").body["holds"]
    return found


def _check_lists(stack: Stack, *, missing: list[int]) -> None:
    """Check that each list, count and sum is answered, and names the partitions that are missing in it."""
    for path in GATHERED:
        response = call(f"{stack.url}{path}")
        assert (path, response.status, response.body.get("missing_partitions")) == (path, 200, missing)
    end_of_export = call(f"{stack.url}/v1/users/nobody/export").body
    assert (end_of_export["object"], end_of_export["missing_partitions"]) == ("end", missing)
    assert call(f"{stack.url}/v1/usage?format=csv").status == 503
    assert call(f"{stack.url}/v1/users/nobody", method="DELETE").status == 503
    with pytest.warns(PartitionsAway, match=", ".join(map(str, missing))), Client(stack.url) as client:
        assert [*client.sessions.list(limit=1)]


def _submit(stack: Stack, sessions: list[str]) -> list[str]:
    """Submit a turn in each session, again while its partition is away; a repeated request adds no turn."""

    def submit(session: str) -> str:
        accepted: list[str] = []
        key = {"Idempotency-Key": uuid4().hex}

        def is_accepted() -> bool:
            body = turn_request(session, "hello")
            response = call(f"{stack.url}/v1/turns", method="POST", body=body, headers=key)
            assert response.status == 202 or response.body["code"] == "store_unavailable", response
            accepted.extend([response.body["id"]] if response.status == 202 else [])
            return bool(accepted)

        wait_until(f"a turn of {session} is accepted", is_accepted, seconds=60)
        return accepted[0]

    with ThreadPoolExecutor(20) as pool:
        return list(pool.map(submit, sessions))


def _owner(cluster: ClusterNodes, session: str) -> Node:
    return cluster.owner(_slot(Partitions(DEFAULT_PARTITIONS).of_session(session)))


def _slot(partition: int) -> int:
    return slot_of(f"{{{hash_tags(DEFAULT_PARTITIONS)[partition]}}}")
