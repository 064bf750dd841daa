"""What a pool gives out is a line on which nobody's answer waits, and which is not cut."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.server import Server
from tests.support.waiting import wait_until
from turns.backend.client import Client, connect
from turns.config.settings import Settings
from turns.domain.state import Status
from turns.domain.turn import TurnRequest
from turns.store.turns import TurnStore


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    """With one connection, so that whoever comes next gets the one of whoever came before."""
    with connect(server.url, timeout_seconds=5, retries=1, max_connections=1) as client:
        yield client


def test_an_answer_that_nobody_waited_for_is_given_to_nobody(client: Client, server: Server) -> None:
    line: Any = client.connection_pool.get_connection()
    line.send_command("ECHO", "another's")
    server.raw.ping()  # which is answered after it
    client.connection_pool.release(line)
    assert client.ask("ECHO", "mine") == b"mine"


def test_a_line_that_was_cut_while_it_was_idle_is_opened_again(client: Client, server: Server) -> None:
    first = client.ask("CLIENT", "ID")
    server.raw.client_kill_filter(_id=str(first))
    assert client.ask("CLIENT", "ID") != first


def test_a_quiet_line_is_used_again(client: Client) -> None:
    assert client.ask("CLIENT", "ID") == client.ask("CLIENT", "ID")


def test_who_waits_for_a_connection_gets_the_next_that_is_free(client: Client) -> None:
    pool: Any = client.connection_pool
    taken = pool.get_connection()
    with ThreadPoolExecutor(5) as callers:
        asked = [callers.submit(client.ask, "ECHO", str(n)) for n in range(5)]
        wait_until("all of them wait", lambda: len(pool._waiting) == 5)
        pool.release(taken)
        assert [answer.result(5) for answer in asked] == [b"%d" % n for n in range(5)]


def test_many_callers_share_few_connections(server: Server) -> None:
    with connect(server.url, timeout_seconds=5, retries=1, max_connections=3) as client:

        def ask(caller: int) -> list[Any]:
            return [client.ask("ECHO", f"{caller} {n}") for n in range(100)]

        with ThreadPoolExecutor(20) as callers:
            answers = list(callers.map(ask, range(20)))
        assert answers == [[b"%d %d" % (caller, n) for n in range(100)] for caller in range(20)]
        pool: Any = client.connection_pool
        assert len(pool._connections) <= 3


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_turn_is_read_over_either_protocol(server: Server, settings: Settings, protocol: int) -> None:
    url = f"{server.url}{'&' if '?' in server.url else '?'}protocol={protocol}"
    with connect(url, timeout_seconds=5, retries=1, max_connections=2) as client:
        store = TurnStore(client, settings)
        turn = store.accept(TurnRequest(session_id="s", input="hello")).turn
        assert store.get_turn(turn.id) == turn
        assert store.claim(turn.id, worker="w", model="m")
        assert store.get_turn(turn.id).status is Status.IN_PROGRESS


def test_what_is_idle_can_be_cut(client: Client) -> None:
    pool: Any = client.connection_pool
    first = client.ask("CLIENT", "ID")
    pool.disconnect(inuse_connections=False)
    assert client.ask("CLIENT", "ID") != first


def test_a_child_of_a_fork_has_connections_of_its_own(client: Client) -> None:
    mine = client.ask("CLIENT", "ID")
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        os.write(write, b"%d" % client.ask("CLIENT", "ID"))
        os._exit(0)
    os.close(write)
    with open(read, "rb") as answer:
        assert answer.read() not in {b"", b"%d" % mine}
    os.waitpid(child, 0)
    assert client.ask("CLIENT", "ID") == mine
