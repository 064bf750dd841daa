"""`Client` and `AsyncClient` have the same methods with the same arguments and docstrings."""

import inspect
from typing import Any

import pytest

from inturn import async_client, client, files

PAIRS = [
    (client.Client, async_client.AsyncClient),
    (client.Turn, async_client.AsyncTurn),
    (client.Turns, async_client.AsyncTurns),
    (client.Sessions, async_client.AsyncSessions),
    (files.Files, files.AsyncFiles),
    (client.Assistants, async_client.AsyncAssistants),
]


@pytest.mark.parametrize(("blocking", "asynchronous"), PAIRS)
def test_both_clients_have_the_same_methods(blocking: type, asynchronous: type) -> None:
    assert arguments(blocking) == arguments(asynchronous)
    assert docs(blocking) == docs(asynchronous)


def arguments(kind: type) -> dict[str, Any]:
    return {name: list(inspect.signature(method).parameters) for name, method in methods(kind).items()}


def docs(kind: type) -> dict[str, str]:
    return {name: (method.__doc__ or "").replace("AsyncTurn", "Turn") for name, method in methods(kind).items()}


def methods(kind: type) -> dict[str, Any]:
    found = inspect.getmembers(kind, inspect.isfunction)
    return {name: method for name, method in found if not name.startswith("_")}
