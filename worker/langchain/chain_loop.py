"""One event loop in a separate thread, on which the asynchronous chains of a chain worker run.

The loop lives as long as the process, so that what a chain opens on it, such as a connection of an MCP client, can be
used by all turns. Synchronous parts of such a chain run in threads, as LangChain does it.
"""

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from functools import cached_property
from queue import SimpleQueue
from typing import Any

from worker.langchain.chain_thread import Chunks, Item, OnAbandon


class ChainLoop:
    """Iterates over asynchronous chunks on behalf of other threads."""

    def __init__(self, *, max_threads: int) -> None:
        """`max_threads` bounds the threads of synchronous parts. The loop starts at its first use."""
        self._max_threads = max_threads

    def iterate(self, chunks: Callable[[], AsyncIterator[Any]], on_abandon: OnAbandon) -> Chunks:
        """Yield the chunks in this thread. `on_abandon` gets a function that cancels them."""
        channel: SimpleQueue[tuple[Item, Any]] = SimpleQueue()
        future = asyncio.run_coroutine_threadsafe(_pump(chunks, channel), self._loop)
        # If it is cancelled before the loop has begun it, `_pump` never runs and puts no end.
        future.add_done_callback(lambda _: channel.put((Item.END, None)))
        on_abandon(future.cancel)
        try:
            while (item := channel.get())[0] is Item.CHUNK:
                yield item[1]
        finally:
            future.cancel()
        if item[0] is Item.ERROR:
            raise item[1]

    @cached_property
    def _loop(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.new_event_loop()
        loop.set_default_executor(ThreadPoolExecutor(self._max_threads, thread_name_prefix="chain-part"))
        # Without the context of the first run, whose ids would otherwise be in all log lines of the loop.
        context = contextvars.Context()
        threading.Thread(target=context.run, args=(_run_for_ever, loop), name="chain-loop", daemon=True).start()
        return loop


async def _pump(chunks: Callable[[], AsyncIterator[Any]], channel: "SimpleQueue[tuple[Item, Any]]") -> None:
    end: tuple[Item, Any] = (Item.END, None)
    try:
        async with aclosing(chunks()) as stream:  # type: ignore[type-var]  # `astream` returns a generator
            async for chunk in stream:
                channel.put((Item.CHUNK, chunk))
    except BaseException as error:  # raised in the thread of the run; SystemExit must not end the loop
        end = (Item.ERROR, error)
    finally:
        channel.put(end)


def _run_for_ever(loop: asyncio.AbstractEventLoop) -> None:
    while True:
        try:
            loop.run_forever()
        except (SystemExit, KeyboardInterrupt):  # a task of a chain has raised it, and asyncio lets it pass
            continue
