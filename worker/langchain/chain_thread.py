"""Run a chain in a separate thread.

A thread that blocks cannot be interrupted, so a worker leaves it behind: the turn ends at its deadline, and what the
thread still yields is dropped. Only for processes that gevent has not patched.
"""

import contextvars
import ctypes
import threading
from collections.abc import Callable, Generator
from contextlib import closing
from enum import Enum
from queue import SimpleQueue
from typing import Any, Protocol
from weakref import WeakSet

Chunks = Generator[Any, None, None]
OnAbandon = Callable[[Callable[[], object]], None]  # takes a function to call when the run leaves its chain behind
Emit = Callable[[Any], object]  # takes something to yield, at once, between the chunks of the chain


class Stop(Protocol):
    """How a run learns that it must stop."""

    def check(self) -> object:
        """Raise if the run must stop."""

    def interrupt_with(self, interrupt: Callable[[], None]) -> None:
        """Call `interrupt`, from any thread, when the run must stop."""


class NeverStop:
    """The `Stop` of a run that nothing stops."""

    def check(self) -> None: ...

    def interrupt_with(self, interrupt: Callable[[], None]) -> None: ...


NEVER = NeverStop()


class ChainAbandoned(BaseException):
    """Raised inside the thread of a chain that was left behind, as soon as it executes Python code again."""


ABANDONED: WeakSet[threading.Thread] = WeakSet()


def count_abandoned() -> int:
    """Return the number of threads that were left behind and have not ended."""
    return sum(thread.is_alive() for thread in list(ABANDONED))


class Item(Enum):
    """Kind of an item that a chain's thread puts on its channel."""

    CHUNK = "chunk"
    ERROR = "error"
    END = "end"
    WAKE = "wake"


class ChainThread:
    """A thread that iterates over the chunks of a chain."""

    def __init__(self, chunks: Callable[[OnAbandon, Emit], Chunks]) -> None:
        """`chunks` is called in the thread."""
        self._chunks = chunks
        self._callbacks: list[Callable[[], object]] = []
        self._channel: SimpleQueue[tuple[Item, Any]] = SimpleQueue()
        self._ending = threading.Lock()
        self._has_ended = False
        context = contextvars.copy_context()  # ids for the log, and the trace
        self._thread = threading.Thread(target=context.run, args=(self._run,), name="chain", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def emit(self, chunk: Any) -> None:
        """Let `read` yield this chunk after those that the chain has yielded so far; from any thread."""
        self._channel.put((Item.CHUNK, chunk))

    def wake(self) -> None:
        """Let `read` check whether the run must stop."""
        self._channel.put((Item.WAKE, None))

    def read(self, check: Callable[[], object]) -> Chunks:
        """Yield the chunks. Raise what the chain raises, or what `check` raises after `wake`."""
        while True:
            match self._channel.get():
                case Item.CHUNK, chunk:
                    yield chunk
                case Item.ERROR, error:
                    raise error
                case Item.WAKE, _:
                    check()
                case _:
                    return

    def abandon(self) -> None:
        """Stop the thread as soon as it executes Python code."""
        with self._ending:  # the id of a thread that has ended may belong to a new one
            if self._thread.ident and not self._has_ended:
                raise_in_thread(self._thread.ident, ChainAbandoned)
                for callback in self._callbacks:
                    callback()
                ABANDONED.add(self._thread)

    def _run(self) -> None:
        try:
            self._iterate()
            with self._ending:
                self._has_ended = True
        except ChainAbandoned:
            self._has_ended = True

    def _iterate(self) -> None:
        try:
            with closing(
                self._chunks(self._callbacks.append, self.emit)
            ) as chunks:  # closing it closes the connection to the provider at once
                for chunk in chunks:
                    self._channel.put((Item.CHUNK, chunk))
        except ChainAbandoned:
            raise
        except BaseException as error:  # `read` raises it in the thread of the run
            self._channel.put((Item.ERROR, error))
        else:
            self._channel.put((Item.END, None))


def raise_in_thread(ident: int, error: type[BaseException]) -> None:
    """Raise an exception in another thread, the next time that it executes Python code."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(error))


def stream_in_thread(chunks: Callable[[OnAbandon, Emit], Chunks], stop: Stop, _: Emit) -> Chunks:
    """Yield the chunks of a chain that runs in another thread, and leave that thread behind if the run must stop."""
    thread = ChainThread(chunks)
    stop.interrupt_with(thread.wake)
    stop.check()
    thread.start()
    try:
        yield from thread.read(stop.check)
    finally:
        thread.abandon()


def stream_here(chunks: Callable[[OnAbandon, Emit], Chunks], _: Stop, emit: Emit) -> Chunks:
    """Yield the chunks of a chain that runs in the caller's greenlet, which the pool can interrupt.

    What the chain emits between two chunks is passed to `emit` at once.
    """
    return chunks(lambda _: None, emit)
