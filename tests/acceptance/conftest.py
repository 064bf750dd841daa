"""The whole product as processes: only what a caller or an operator can see is looked at."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.processes import Stack, Store


@pytest.fixture
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Stack]]:
    """Starts a stack of one's own, for a test that breaks something."""
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
    """Those of `stack`; a module may have its own."""
    return {}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, settings: dict[str, str]) -> Iterator[Stack]:
    """One endpoint and one worker that the tests of a module share."""
    stack = Stack(Path(tmp_path_factory.mktemp("stack")), workers=1, settings=settings)
    yield stack
    stack.stop()
