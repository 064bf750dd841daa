"""The whole product as processes; the tests check what a caller or an operator can see."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.processes import Stack, Store


@pytest.fixture
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Stack]]:
    """Return a function that starts a separate stack, for tests that break something or need other settings."""
    started: list[Stack] = []

    def start(*, workers: int = 1, store: Store | None = None, **settings: str) -> Stack:
        stack = Stack(Path(tmp_path_factory.mktemp("stack")), workers=workers, settings=settings, store=store)
        started.append(stack)
        return stack

    yield start
    for stack in started:
        stack.stop()


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """Return the settings of `stack`; a module may override them."""
    return {}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, settings: dict[str, str]) -> Iterator[Stack]:
    """Start one endpoint and one worker, which the tests of a module share."""
    stack = Stack(Path(tmp_path_factory.mktemp("stack")), workers=1, settings=settings)
    yield stack
    stack.stop()
