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
def chain_workers() -> int:
    """Return the number of chain workers of `stack`; a module may override it."""
    return 0


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, settings: dict[str, str], chain_workers: int) -> Iterator[Stack]:
    """Start one endpoint, one worker and the chain workers, which the tests of a module share."""
    directory = tmp_path_factory.mktemp("stack")
    with Stack(directory, workers=1, chain_workers=chain_workers, settings=settings) as stack:
        yield stack
