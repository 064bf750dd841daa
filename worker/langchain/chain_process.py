"""Run a chain in a process that ends with the turn, and with it what crashes, leaks or computes for ever.

The processes are forked from a server that has imported LangChain and the modules of the factories, and no threads.
"""

import math
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from enum import Enum
from functools import partial
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from turns.config.settings import Settings
from turns.domain.errors import ModelError
from turns.domain.run.answer import Answer
from turns.domain.run.claim import Claim
from turns.domain.run.spending import Usage
from worker.langchain.chain import ChainRun
from worker.langchain.chain_thread import NEVER, Stop
from worker.provider.request_ids import ProviderRequest, current_request

CONTEXT = multiprocessing.get_context("forkserver")
# Modules that are otherwise imported by the first call of a model, in each process: 0.7 s of CPU for structured output.
PRELOADED = ("worker.langchain.chain_cache", "openai.resources.beta.beta", "openai.lib.streaming.chat", "httpcore2")
CLEANUP_SECONDS = 5  # after the time limit of the turn, when its worker should have killed the process

CreateRun = Callable[[Claim, Settings], ChainRun]  # a function of a module, because it is sent by name


class Sent(Enum):
    """Kind of a message of the process."""

    DELTA = "delta"
    EVENT = "event"
    SERVER_ID = "server_id"  # of the last request to the provider
    ANSWER = "answer"
    MODEL_ERROR = "model_error"
    ERROR = "error"


class ChainProcessFailed(Exception):
    """The chain raised in its process, or its process died."""


def start_server(modules: Iterable[str]) -> None:
    """Start the server from which the processes are forked, with these modules imported."""
    CONTEXT.set_forkserver_preload([*PRELOADED, *modules])
    forkserver.ensure_running()


class ProcessChainRun(ChainRun):
    """One attempt at a turn, in another process."""

    def __init__(self, claim: Claim, settings: Settings, create_run: CreateRun) -> None:
        """`create_run` is called in the process."""
        self._claim = claim
        self._settings = settings
        self._create_run = create_run
        self._answer: Answer | None = None

    def deltas(self, stop: Stop = NEVER) -> Generator[str, None, None]:
        """Yield text as `ChainRun.deltas` does."""
        process, connection = start_process(run_chain, self._create_run, self._claim, self._settings)
        stop.interrupt_with(partial(kill, process))
        try:
            stop.check()
            yield from self._read(connection, process, stop)
        finally:
            kill(process)
            process.join()
            connection.close()

    def reported(self) -> tuple[Usage | None, int]:
        """Return what the process has reported with its answer; a process that died or failed has reported nothing."""
        return (self._answer.usage, self._answer.unreported_calls) if self._answer else (None, 1)

    def answer(self) -> Answer:
        """Return the answer after the last delta."""
        if self._answer is None:
            raise ChainProcessFailed("the process has sent no answer")
        return self._answer

    def _read(self, connection: Connection, process: BaseProcess, stop: Stop) -> Generator[str, None, None]:
        while self._answer is None:
            try:
                sent, value = connection.recv()
            except (EOFError, OSError):
                stop.check()
                process.join()
                raise ChainProcessFailed(f"the process of the chain ended with code {process.exitcode}") from None
            match sent:
                case Sent.DELTA:
                    yield value
                case Sent.EVENT:
                    self.on_event(value)
                case Sent.SERVER_ID:
                    if request := current_request():
                        request.server_id = value
                case Sent.ANSWER:
                    self._answer = value
                case Sent.MODEL_ERROR:
                    raise ModelError(**value)
                case _:
                    raise ChainProcessFailed(value)


def call_in_process(function: Callable[..., Any], *arguments: object, timeout_seconds: float) -> Any:
    """Return what a function of a module returns in another process; None if that process ends before."""
    process, connection = start_process(send_result, timeout_seconds, function, *arguments)
    with connection:
        try:
            return connection.recv()
        except (EOFError, OSError):
            return None
        finally:
            kill(process)
            process.join()


def start_process(main: Callable[..., None], *arguments: object) -> tuple[BaseProcess, Connection]:
    """Start a process with this main function, which also receives its end of the returned connection."""
    connection, its_end = CONTEXT.Pipe()
    process = CONTEXT.Process(target=main, args=(its_end, *arguments), name="chain")
    process.start()
    its_end.close()
    return process, connection


def kill(process: BaseProcess) -> None:
    """Kill the process with all that it has started; it is not a daemon, which could not use `multiprocessing`."""
    if process.pid:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()  # it may not lead its group yet


def prepare_process(connection: Connection, timeout_seconds: float) -> None:
    """Lead a process group, and end with the worker, or after this time, also in code that holds the interpreter."""
    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the worker
    signal.alarm(math.ceil(timeout_seconds))
    threading.Thread(target=_exit_with_worker, args=(connection,), daemon=True).start()


def send_result(
    connection: Connection, timeout_seconds: float, function: Callable[..., Any], *arguments: object
) -> None:
    """Call the function and send its result. The main function of the process."""
    prepare_process(connection, timeout_seconds)
    connection.send(function(*arguments))


def run_chain(connection: Connection, create_run: CreateRun, claim: Claim, settings: Settings) -> None:
    """Run the chain and send what it yields. The main function of the process."""
    prepare_process(connection, settings.total_seconds + CLEANUP_SECONDS)
    request = ProviderRequest(claim.client_request_id)
    with request.sending():
        last = _last_message(connection, create_run, claim, settings)
    connection.send((Sent.SERVER_ID, request.server_id))
    connection.send(last)


def _last_message(connection: Connection, create_run: CreateRun, claim: Claim, settings: Settings) -> tuple[Sent, Any]:
    try:
        run = create_run(claim, settings)
        run.on_event = lambda event: connection.send((Sent.EVENT, event))
        for text in run.deltas():
            connection.send((Sent.DELTA, text))
        return Sent.ANSWER, run.answer()
    except ModelError as error:
        fields = ("code", "kind", "retry_after_seconds", "provider_status")
        return Sent.MODEL_ERROR, {"message": str(error), **{name: getattr(error, name) for name in fields}}
    except BaseException:  # a chain can raise anything, also an object that cannot be sent
        return Sent.ERROR, traceback.format_exc()


def _exit_with_worker(connection: Connection) -> None:
    """Wait for the end of the worker, which sends nothing, and end with all that the chain has started."""
    try:
        connection.recv()
    except (EOFError, OSError):
        os.killpg(0, signal.SIGKILL)
