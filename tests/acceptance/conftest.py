"""The whole product as processes; the tests check what a caller or an operator can see."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.support.processes import Stack, Store


@pytest.fixture
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Stack]]:
    """Return a function that starts a separate stack, for tests that break something or need other settings."""
    with ExitStack() as stacks:

        def start(*, workers: int = 1, store: Store | None = None, **settings: str) -> Stack:
            directory = tmp_path_factory.mktemp("stack")
            return stacks.enter_context(Stack(directory, workers=workers, settings=settings, store=store))

        yield start


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """Return the settings of `stack`; a module may override them."""
    return {}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, settings: dict[str, str]) -> Iterator[Stack]:
    """Start one endpoint and one worker, which the tests of a module share."""
    with Stack(tmp_path_factory.mktemp("stack"), workers=1, settings=settings) as stack:
        yield stack
