"""A chain in its own thread yields and raises as in the caller's, and is left behind if it blocks."""

import contextvars
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from tests.support.waiting import wait_until
from worker.langchain.chain_thread import NEVER, Chunks, Emit, OnAbandon, stream_in_thread

CURRENT = contextvars.ContextVar("CURRENT", default="none")


class Stopped(BaseException):
    pass


class Stopper:
    """A `Stop` that a test triggers."""

    def __init__(self) -> None:
        self._is_stopped = False
        self._interrupt: Callable[[], None] = lambda: None

    def check(self) -> None:
        if self._is_stopped:
            raise Stopped

    def interrupt_with(self, interrupt: Callable[[], None]) -> None:
        self._interrupt = interrupt

    def stop(self) -> None:
        self._is_stopped = True
        self._interrupt()


def test_chunks_and_the_context_reach_the_other_thread() -> None:
    def chunks(_: OnAbandon, __: Emit) -> Chunks:
        yield CURRENT.get()
        yield threading.current_thread() is caller

    caller = threading.current_thread()
    CURRENT.set("turn_1")
    assert list(stream_in_thread(chunks, NEVER, print)) == ["turn_1", False]


def test_what_a_chain_emits_comes_between_its_chunks() -> None:
    def chunks(_: OnAbandon, emit: Emit) -> Chunks:
        for n in range(3):
            emit(f"before {n}")
            yield n

    assert list(stream_in_thread(chunks, NEVER, print)) == ["before 0", 0, "before 1", 1, "before 2", 2]


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(3)])
def test_what_the_chain_raises_is_raised_in_the_run(error: BaseException) -> None:
    def chunks(_: OnAbandon, __: Emit) -> Chunks:
        yield "a"
        raise error

    stream = stream_in_thread(chunks, NEVER, print)
    assert next(stream) == "a"
    with pytest.raises(type(error)) as caught:
        next(stream)
    assert caught.value is error


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """Yield an event for which a chain may wait; it is set at the end of the test."""
    event = threading.Event()
    yield event
    event.set()


def test_a_run_stops_at_once_though_its_chain_blocks(released: threading.Event) -> None:
    stopper, ends = Stopper(), list[str]()

    def chunks(_: OnAbandon, __: Emit) -> Chunks:
        with suppress(Exception):  # a library that handles all errors does not keep the thread alive
            yield "a"
            released.wait(60)
            ends.append("went on")
        ends.append("went on")

    stream = stream_in_thread(chunks, stopper, print)
    assert next(stream) == "a"
    threading.Timer(0.05, stopper.stop).start()
    with pytest.raises(Stopped):
        next(stream)
    released.set()
    wait_until("the thread has ended", lambda: not chain_threads())
    assert ends == []


def test_a_chain_that_computes_for_ever_is_ended() -> None:
    stopper = Stopper()

    def chunks(_: OnAbandon, __: Emit) -> Chunks:
        yield "a"
        while True:
            pass

    stream = stream_in_thread(chunks, stopper, print)
    next(stream)
    stopper.stop()
    with pytest.raises(Stopped):
        next(stream)
    wait_until("the thread has ended", lambda: not chain_threads())


def test_a_run_that_must_stop_starts_no_chain() -> None:
    stopper = Stopper()
    stopper.stop()
    with pytest.raises(Stopped):
        next(stream_in_thread(lambda *_: pytest.fail("it has started"), stopper, print))


def chain_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "chain"]
