"""A chain in its own process answers as in a thread, and its crash or its endless loop ends only its turn."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from langchain_core.callbacks import dispatch_custom_event
from langchain_core.runnables import Runnable, RunnableConfig, RunnableGenerator, RunnableLambda

from tests.support.waiting import wait_until
from tests.unit.worker.run.stand_ins import make_claim
from turns.config.settings import Settings
from turns.domain.assistant import Assistant, RunsIn
from turns.domain.errors import ModelError, ModelErrorKind
from turns.domain.events import EventType, OutputEvent
from turns.domain.run.answer import Answer
from worker.langchain.chain import EventSink
from worker.langchain.chain_cache import ChainCache
from worker.langchain.chain_process import ChainProcessFailed, start_server
from worker.langchain.chain_thread import NEVER, Stop


def answering() -> Runnable[Any, Any]:
    def answer(given: Any, config: RunnableConfig) -> dict[str, Any]:
        return {"answer": f"{given['input']}!", "turn": config["configurable"]["turn_id"], "pid": os.getpid()}

    return RunnableLambda(answer)


def crashing() -> Runnable[Any, str]:
    def crashes(_: Any) -> str:
        os.kill(os.getpid(), signal.SIGSEGV)
        return "never"

    return RunnableLambda(crashes)


def raising() -> Runnable[Any, str]:
    def fails(_: Any) -> str:
        raise ValueError("my mistake")

    return RunnableLambda(fails)


def empty() -> Runnable[Any, str]:
    return RunnableLambda(lambda _: "")


def endless() -> Runnable[Any, str]:
    def words(_: Iterator[Any]) -> Iterator[str]:
        yield str(os.getpid())
        while True:
            pass

    return RunnableGenerator(words)


def pooling() -> Runnable[Any, str]:
    def compute(_: Any) -> str:
        with ProcessPoolExecutor(1) as pool:
            return str(pool.submit(pow, 2, 10).result())

    return RunnableLambda(compute)


def leaving_a_child() -> Runnable[Any, str]:
    def words(_: Iterator[Any]) -> Iterator[str]:
        yield str(subprocess.Popen(["sleep", "60"]).pid)
        time.sleep(60)

    return RunnableGenerator(words)


@pytest.fixture(scope="module", autouse=True)
def server() -> None:
    """Import LangChain once for all processes, as a worker does at its start."""
    start_server([__name__])


def run(factory: Callable[[], Any], stop: Stop = NEVER, on_event: EventSink = print) -> Answer:
    assistant = Assistant(name="a", chain=f"{__name__}:{factory.__name__}", runs_in=RunsIn.PROCESS)
    attempt = ChainCache(permits=lambda _: True).create_run(make_claim(assistant=assistant), Settings())
    attempt.on_event = on_event
    text = "".join(attempt.deltas(stop))
    answer = attempt.answer()
    assert answer.output == text
    return answer


def test_a_chain_answers_from_its_own_process() -> None:
    answer = run(answering)
    assert answer.output == "hello!"
    assert f'"pid":{os.getpid()}' not in (answer.data or "")


def reporting() -> Runnable[Any, str]:
    def answer(_: Any) -> Iterator[str]:
        dispatch_custom_event("progress", 1)
        yield "done"

    return RunnableLambda(answer)


def test_events_come_from_its_own_process() -> None:
    received: list[OutputEvent] = []
    run(reporting, on_event=received.append)
    assert received == [OutputEvent(EventType.DATA, '{"name":"progress","data":1}')]


def test_a_crash_names_the_signal_and_an_exception_its_place() -> None:
    with pytest.raises(ChainProcessFailed, match=f"ended with code -{signal.SIGSEGV}"):
        run(crashing)
    with pytest.raises(ChainProcessFailed, match=r"(?s)test_chain_process.*my mistake"):
        run(raising)


def test_an_error_of_the_model_keeps_its_kind() -> None:
    with pytest.raises(ModelError, match="the chain returned no text") as caught:
        run(empty)
    assert caught.value.kind is ModelErrorKind.HOPELESS


def is_alive(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


class Stopped(BaseException):
    pass


class Stopper:
    def __init__(self) -> None:
        self.is_stopped = False
        self.interrupt: Callable[[], None] = lambda: None

    def check(self) -> None:
        if self.is_stopped:
            raise Stopped

    def interrupt_with(self, interrupt: Callable[[], None]) -> None:
        self.interrupt = interrupt


def test_a_chain_may_start_processes() -> None:
    assert run(pooling).output == "1024"


@pytest.mark.parametrize("factory", ["endless", "leaving_a_child"])
def test_a_chain_is_killed_with_what_it_has_started(factory: str) -> None:
    stopper = Stopper()
    assistant = Assistant(name="a", chain=f"{__name__}:{factory}", runs_in=RunsIn.PROCESS)
    deltas = ChainCache(permits=lambda _: True).create_run(make_claim(assistant=assistant), Settings()).deltas(stopper)
    pid = int(next(deltas))
    stopper.is_stopped = True
    threading.Timer(0.05, stopper.interrupt).start()
    with pytest.raises(Stopped):
        next(deltas)
    wait_until("the process has ended", lambda: not is_alive(pid))
