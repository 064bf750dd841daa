"""Fixtures of all tests."""

from collections.abc import Iterator
from datetime import date

import pytest

from inturn.testing import Messages, Reply, RunningService, ToolCall, running_inturn
from shop import orders


@pytest.fixture(scope="session", autouse=True)
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Fill a temporary database, for the tests and for the service that they start."""
    path = str(tmp_path_factory.mktemp("shop") / "shop.db")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(orders.DATABASE, path)
        orders.add_order("A-1", owner="ada", item="tea", ordered_on=date(2026, 2, 27))
        orders.add_order("A-2", owner="ada", item="scones", ordered_on=date(2026, 2, 28))
        yield path


@pytest.fixture(scope="session")
def inturn(database: str) -> Iterator[RunningService]:
    """Run this project in a real InTurn, whose model is scripted."""
    with running_inturn(script, settings={orders.DATABASE: database}) as service:
        yield service


def script(messages: Messages) -> Reply:
    """Reply as the model would: call a tool, then report its result."""
    last = messages[-1]
    if last["role"] == "tool":
        return f"Result: {last['content']}"
    if "cancel" in last["content"]:
        return ToolCall("cancel_order", number=last["content"].split()[-1])
    return ToolCall("list_orders")
