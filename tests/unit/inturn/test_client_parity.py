"""`Client` and `AsyncClient` have the same names, and take the same arguments."""

import inspect
from typing import Any

import pytest

from inturn import async_client, client

PAIRS = [
    (client.Client, async_client.AsyncClient),
    (client.Turn, async_client.AsyncTurn),
    (client.Turns, async_client.AsyncTurns),
    (client.Sessions, async_client.AsyncSessions),
    (client.Assistants, async_client.AsyncAssistants),
]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_they_have_the_same_methods(one: type, other: type) -> None:
    assert arguments(one) == arguments(other)
    assert docs(one) == docs(other)


def arguments(of: type) -> dict[str, Any]:
    return {name: list(inspect.signature(method).parameters) for name, method in methods(of).items()}


def docs(of: type) -> dict[str, str]:
    return {name: (method.__doc__ or "").replace("AsyncTurn", "Turn") for name, method in methods(of).items()}


def methods(of: type) -> dict[str, Any]:
    found = inspect.getmembers(of, inspect.isfunction)
    return {name: method for name, method in found if not name.startswith("_")}
