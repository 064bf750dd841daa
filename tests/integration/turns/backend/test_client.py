"""The client's pool gives out connections that are open and have no stale reply on them."""

import os
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.server import Server
from turns.backend.client import Client
from turns.backend.opening import check_store, connect
from turns.config.settings import Settings
from turns.domain.errors import ConfigurationError, StoreUnavailable
from turns.domain.state import Status
from turns.domain.turn_request import TurnRequest
from turns.store.turns import TurnStore


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    """Connect a client with one connection, so that each command uses the connection of the one before."""
    with connect(server.url, timeout_seconds=5, retries=1, max_connections=1) as client:
        yield client


def test_a_stale_reply_is_returned_to_no_later_command(client: Client, server: Server) -> None:
    connection: Any = client.connection_pool.get_connection()
    connection.send_command("ECHO", "another's")
    server.raw.ping()  # is answered after it
    client.connection_pool.release(connection)
    assert client.execute_command("ECHO", "mine") == b"mine"


def test_a_pipeline_that_breaks_off_leaves_no_reply(client: Client) -> None:
    """A connection is trusted after a single command, not after the first reply of several."""
    connection: Any = client.connection_pool.get_connection()
    connection.send_packed_command(connection.pack_commands([("ECHO", "first"), ("ECHO", "second")]))
    assert connection.read_response() == b"first"
    client.connection_pool.release(connection)
    assert client.execute_command("ECHO", "mine") == b"mine"


def test_a_connection_cut_while_idle_is_opened_again(client: Client, server: Server) -> None:
    first = client.client_id()
    server.raw.client_kill_filter(_id=str(first))
    assert client.client_id() != first


def test_an_idle_connection_is_used_again(client: Client) -> None:
    assert client.client_id() == client.client_id()


def test_many_callers_share_few_connections(server: Server) -> None:
    with connect(server.url, timeout_seconds=5, retries=1, max_connections=3) as client:

        def call(caller: int) -> list[Any]:
            replies = [client.execute_command("ECHO", f"{caller} {n}") for n in range(100)]
            return [*replies, client.client_id()]

        with ThreadPoolExecutor(20) as callers:
            replies = list(callers.map(call, range(20)))
        assert [reply[:-1] for reply in replies] == [
            [b"%d %d" % (caller, n) for n in range(100)] for caller in range(20)
        ]
        assert len({reply[-1] for reply in replies}) <= 3


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_turn_is_read_over_either_protocol(server: Server, settings: Settings, protocol: int) -> None:
    url = f"{server.url}{'&' if '?' in server.url else '?'}protocol={protocol}"
    with connect(url, timeout_seconds=5, retries=1, max_connections=2) as client:
        store = TurnStore(client, settings)
        turn = store.accept(TurnRequest(session_id="s", input="hello")).turn
        assert store.get_turn(turn.id) == turn
        assert store.claim(turn.id, worker="w", model="m")
        assert store.get_turn(turn.id).status is Status.IN_PROGRESS


def test_a_child_of_a_fork_opens_its_own_connections(client: Client) -> None:
    parents = client.client_id()
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        os.write(write, b"%d" % client.client_id())
        os._exit(0)
    os.close(write)
    with open(read, "rb") as reply:
        assert reply.read() not in {b"", b"%d" % parents}
    os.waitpid(child, 0)
    assert client.client_id() == parents


@pytest.mark.parametrize(
    ("login", "database", "reason"),
    [
        (":canary@", 0, "the store rejects the login: invalid username-password pair or user is disabled"),
        ("nobody:canary@", 0, "the store rejects the login: invalid username-password pair or user is disabled"),
        ("", 0, "the store rejects the login: Authentication required"),
        (":secret@", 99, "the store rejects the connection: DB index is out of range"),
    ],
)
def test_a_rejected_connection_is_a_configuration_error(server: Server, login: str, database: int, reason: str) -> None:
    server.raw.config_set("requirepass", "secret")
    server.raw.auth("secret")
    try:
        with pytest.raises(ConfigurationError, match=f"^REDIS_URL: {reason}") as error:
            check_store(f"unix://{login}{server.socket}?db={database}")
        check_store(f"unix://:secret@{server.socket}")
    finally:
        server.raw.config_set("requirepass", "")
    assert "canary" not in str(error.value)


def test_a_failed_tls_handshake_is_a_configuration_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_answer, args=(listener, b"-ERR Protocol error\r\n"), daemon=True).start()
        with pytest.raises(ConfigurationError, match=r"^REDIS_URL: the TLS connection to the store fails: "):
            check_store(f"rediss://:canary@127.0.0.1:{listener.getsockname()[1]}/0")


@pytest.mark.parametrize("scheme", ["redis", "rediscluster"])
def test_another_kind_of_server_is_a_configuration_error(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_answer, args=(listener, b"HTTP/1.1 400 Bad Request\r\n"), daemon=True).start()
        with pytest.raises(ConfigurationError, match=r"^REDIS_URL: the server there is neither Redis nor Valkey"):
            check_store(f"{scheme}://:canary@127.0.0.1:{listener.getsockname()[1]}")


def _answer(listener: socket.socket, content: bytes) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.sendall(content)
        connection.recv(1000)


def test_a_store_that_does_not_answer_yet_is_not_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    check_store(f"redis://127.0.0.1:{port}/0")
    check_store("unix:///nowhere/store.sock")


@pytest.mark.parametrize("transaction", [False, True])
@pytest.mark.parametrize(("option", "reason"), [("maxmemory", "maxmemory"), ("min-replicas-to-write", "NOREPLICAS")])
def test_a_refused_pipeline_says_why_and_not_what(
    client: Client, server: Server, transaction: bool, option: str, reason: str
) -> None:
    server.raw.config_set(option, 1)
    try:
        with pytest.raises(StoreUnavailable, match=reason) as refused:
            client.execute_many([("LPUSH", "messages", "a secret text")], transaction=transaction)
    finally:
        server.raw.config_set(option, 0)
    assert refused.value.refused
    assert "secret" not in str(refused.value)
