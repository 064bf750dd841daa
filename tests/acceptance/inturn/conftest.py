"""Fixtures for tests of the client with a real service."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from inturn import Client
from tests.acceptance.inturn.cli.runner import Inturn
from tests.support.processes import Stack


@pytest.fixture
def client(stack: Stack) -> Iterator[Client]:
    with Client(stack.url) as client:
        yield client


@pytest.fixture
def inturn(stack: Stack, tmp_path: Path) -> Inturn:
    """Return the command with the URL of this service."""
    return Inturn(stack.url, tmp_path / "state")
