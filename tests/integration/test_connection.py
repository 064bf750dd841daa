"""What a pool gives out is a line on which nobody's answer waits, and which is not cut."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.server import Server
from turns.connection import Client, connect


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
