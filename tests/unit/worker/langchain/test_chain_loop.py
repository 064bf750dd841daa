"""A turn that leaves the loop of asynchronous chains behind gets its thread back."""

import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor

from worker.langchain.chain_loop import ChainLoop


def test_a_run_that_is_stopped_before_its_turn_ends() -> None:
    loop, is_blocked, release = ChainLoop(max_threads=1), threading.Event(), threading.Event()

    async def block() -> AsyncIterator[None]:
        is_blocked.set()
        release.wait(10)
        yield

    async def never_begin() -> AsyncIterator[None]:
        yield

    def stop(cancel: Callable[[], object]) -> None:
        cancel()

    with ThreadPoolExecutor(2) as threads:
        threads.submit(lambda: list(loop.iterate(block, lambda _: None)))
        assert is_blocked.wait(10)
        stopped = threads.submit(lambda: list(loop.iterate(never_begin, stop)))
        try:
            assert stopped.result(5) == []
        finally:
            release.set()
